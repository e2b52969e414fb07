"""A poison event among a thousand: all others are healed, and that one is put in front of a person with its reason."""

import pytest

from tests.conftest import StartWorker
from tests.support.database import count, sign_up
from tests.support.waiting import eventually
from tests.support.workload import TOO_LONG, park_order, settled
from worker.store.connection import Connection

CURSED = "cursed"
CHECK = (TOO_LONG, "23514", "profiles_name_is_short")
TRIGGER = (CURSED, "PX666", None)

RAISE_FOR_THE_CURSED = f"""
    create function public.refuse_cursed() returns trigger language plpgsql as $$
    begin
        if new.name = '{CURSED}' then
            raise exception 'cursed' using errcode = 'PX666';
        end if;
        return new;
    end $$;
    create trigger refuse_cursed before insert on public.profiles for each row execute function public.refuse_cursed()
"""

SWALLOW_THE_CURSED = RAISE_FOR_THE_CURSED.replace("raise exception 'cursed' using errcode = 'PX666'", "return null")


@pytest.mark.parametrize("poisons", [[CHECK], [TRIGGER], [CHECK, TRIGGER]], ids=["check", "trigger", "both"])
async def test_poison_sign_up_among_a_thousand_is_the_only_dead_letter(
    connection: Connection, start: StartWorker, poisons: list[tuple[str, str, str | None]]
) -> None:
    """Whatever refuses the profile, the rest of the batch is healed, and the dead letter names SQLSTATE and constraint."""
    await connection.execute(RAISE_FOR_THE_CURSED)
    names = ["healthy"] * (500 - len(poisons)) + [name for name, _, _ in poisons] + ["healthy"] * 500
    await connection.execute("insert into public.users (full_name) select unnest($1::text[])", names)

    await start()
    await settled(connection)

    assert await count(connection, "public.profiles") == 1000 - len(poisons)
    assert await count(connection, "pgmend.dead_letters") == len(poisons)
    for name, sqlstate, constraint in poisons:
        assert await _dead_letter(connection, name) == ("needs_recipe", sqlstate, sqlstate, constraint, 1)


async def test_profile_that_takes_too_long_stops_no_other(connection: Connection, start: StartWorker) -> None:
    """The statement timeout costs the batch; it is tried with fewer rows until the slow one stands alone, in the careful lane."""
    await connection.execute(
        RAISE_FOR_THE_CURSED.replace("raise exception 'cursed' using errcode = 'PX666'", "perform pg_sleep(60)")
    )
    await connection.execute("insert into public.users (full_name) select 'healthy' from generate_series(1, 20)")
    cursed = await sign_up(connection, name=CURSED)
    await connection.execute("insert into public.users (full_name) select 'healthy' from generate_series(1, 20)")

    worker = await start(statement_timeout_seconds=1, express_batch_size=10)
    await worker.logged("event_released", user_key=cursed, sqlstate="57014")

    await eventually(lambda: _is_healed(connection, 40))


async def test_profile_that_a_trigger_swallows_is_not_tried_for_ever(connection: Connection, start: StartWorker) -> None:
    """A row that vanishes without an error is a recipe that does not work: dead letters for user and order, no endless loop."""
    await connection.execute(SWALLOW_THE_CURSED)
    cursed, healthy = await sign_up(connection, name=CURSED), await sign_up(connection, name="healthy")
    assert [await park_order(connection, key) for key in (cursed, healthy)] == ["parked", "parked"]

    await start(first_retry_delay_seconds=0.01)
    await settled(connection)

    assert await count(connection, "public.orders where user_id = $1", healthy) == 1
    assert await count(connection, "pgmend.dead_letters where user_key = $1 and verdict = 'needs_recipe'", cursed) == 2


async def _is_healed(connection: Connection, profiles: int) -> bool:
    return await count(connection, "public.profiles") == profiles


async def _dead_letter(connection: Connection, name: str) -> tuple[object, ...]:
    """Return verdict and SQLSTATE of the letter, SQLSTATE and constraint of its audit entry, and how many of those there are."""
    query = """
        select letter.verdict, letter.sqlstate, entry.sqlstate, entry.constraint_name, count(*) over ()
        from public.users as u
        join pgmend.dead_letters as letter on letter.user_key = u.id::text
        join public.error_logs as entry on entry.event_id = letter.event_id and entry.error_type = 'EVENT_DEAD_LETTERED'
        where u.full_name = $1
    """
    row = await connection.fetchrow(query, name)
    assert row is not None
    return tuple(row)
