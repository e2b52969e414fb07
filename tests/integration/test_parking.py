"""The mode park: a row whose profile is missing is captured in place of its insert, if nothing else is wrong with it."""

import asyncpg
import pytest

from tests.integration.conftest import MakeRole
from tests.support.database import Database, count, sign_up
from tests.support.outbox import dead_letters
from worker import pipeline
from worker.pipeline import Path
from worker.store.connection import Connection

PARK = "select pgmend.guard('public.orders', 'fk_orders_user_id', mode => 'park')"
ORDER = "insert into public.orders (user_id, amount) values ($1, 9.90)"
NOBODY = "00000000-0000-0000-0000-000000000000"
CAPTURED = "pgmend.outbox where kind = 'insert_failed'"
OWN = "create policy own on public.orders to shop_writer with check (amount < 5)"
REFUSALS = {
    "row-level security": ("alter table public.orders enable row level security;" + OWN, "42501"),
    "check": ("alter table public.orders add constraint amount_is_small check (amount < 5)", "23514"),
    "not null": ("alter table public.orders add column note text; alter table public.orders alter note set not null", "23502"),
    "unique": ("create unique index on public.orders ((1)); insert into public.orders select gen_random_uuid(), $1, 1", "23505"),
    "trigger": (
        """
        create function public.refuse() returns trigger language plpgsql as $$ begin raise 'no' using errcode = 'P0042'; end $$;
        create trigger refuse before insert on public.orders for each row execute function public.refuse()
        """,
        "P0042",
    ),
}
NOTES = """
    create table public.notes (note text); grant insert on public.notes to shop_writer;
    create function public.note() returns trigger language plpgsql as
    $$ begin insert into public.notes values ('seen'); new.amount := new.amount + 1; return new; end $$;
    create trigger note before insert on public.orders for each row execute function public.note()
"""


@pytest.fixture
async def parking(connection: Connection, writer: Connection) -> Connection:
    """A session of shop_writer, whose orders are parked."""
    await connection.execute(PARK)
    return writer


async def test_row_without_profile_is_parked_and_stands_when_the_worker_was_there(
    connection: Connection, parking: Connection, path: Path
) -> None:
    """The writer sees that no row was inserted; profile and row stand after one turn, exactly as written."""
    key = await sign_up(connection)

    assert await parking.execute(ORDER, key) == "INSERT 0 0"
    assert await count(connection, "public.orders") == 0
    await pipeline.turn(path)

    assert await connection.fetchval("select user_id::text || amount from public.orders") == f"{key}9.90"
    assert await count(connection, "pgmend.outbox") == 0


async def test_row_whose_profile_is_there_is_an_ordinary_insert(connection: Connection, parking: Connection, path: Path) -> None:
    """Nothing is captured where nothing is missing."""
    key = await sign_up(connection)
    await pipeline.turn(path)

    assert await parking.execute(ORDER, key) == "INSERT 0 1"
    assert await count(connection, CAPTURED) == 0


async def test_unknown_user_keeps_the_honest_error_unless_a_time_limit_allows_for_one(
    connection: Connection, parking: Connection
) -> None:
    """A key that never was is refused at once; where the operator gave it time, it waits for the sign-up."""
    with pytest.raises(asyncpg.ForeignKeyViolationError, match="fk_orders_user_id"):
        await parking.execute(ORDER, NOBODY)
    await connection.execute(PARK.replace("'park'", "'park', unknown_user_grace => '1 minute'"))

    assert await parking.execute(ORDER, NOBODY) == "INSERT 0 0"
    assert await count(connection, CAPTURED) == 1


@pytest.mark.parametrize("refusal", REFUSALS)
async def test_row_that_is_refused_for_another_reason_is_refused_at_once(
    connection: Connection, parking: Connection, refusal: str
) -> None:
    """Whatever the database has against the row is said to its writer now, and nothing is captured."""
    key, whole = await sign_up(connection), await sign_up(connection, "whole@x")
    await connection.execute("insert into public.profiles (id, name) values ($1, 'whole')", whole)
    setup, sqlstate = REFUSALS[refusal]
    await connection.execute(setup.replace("$1", f"'{whole}'"))

    with pytest.raises(asyncpg.PostgresError) as refused:
        await parking.execute(ORDER, key)

    assert refused.value.sqlstate == sqlstate
    assert await count(connection, CAPTURED) == 0


async def test_upsert_of_a_row_that_stands_updates_it(connection: Connection, parking: Connection) -> None:
    """ON CONFLICT DO UPDATE still finds its row, although the new version's profile is missing."""
    await connection.execute("grant select, update on public.orders to shop_writer")
    whole, key = await sign_up(connection, "whole@x"), await sign_up(connection)
    await connection.execute("insert into public.profiles (id, name) values ($1, 'whole')", whole)
    order = await connection.fetchval("insert into public.orders (user_id, amount) values ($1, 1) returning id", whole)

    upsert = "insert into public.orders (id, user_id, amount) values ($1, $2, 2) on conflict (id) do update set amount = 7"
    assert await parking.execute(upsert, order, key) == "INSERT 0 1"

    assert await connection.fetchval("select amount from public.orders") == 7
    assert await count(connection, CAPTURED) == 0


async def test_triggers_of_the_table_have_their_effect_once(connection: Connection, parking: Connection, path: Path) -> None:
    """What a BEFORE trigger wrote at the rehearsal is taken back; the row that stands went through it once."""
    await connection.execute(NOTES)
    key = await sign_up(connection)

    await parking.execute(ORDER, key)
    before = await count(connection, "public.notes")
    await pipeline.turn(path)

    assert (before, await count(connection, "public.notes")) == (0, 1)
    assert str(await connection.fetchval("select amount from public.orders")) == "10.90"


async def test_role_without_the_captures_keeps_the_honest_error(
    connection: Connection, database: Database, make_role: MakeRole
) -> None:
    """Parking is granted to roles one by one; the others see what they always saw."""
    await connection.execute(PARK)
    await make_role("other_writer")
    await connection.execute("grant insert on public.orders to other_writer")
    session = await database.connect()
    await session.execute("set role other_writer")

    with pytest.raises(asyncpg.ForeignKeyViolationError, match="fk_orders_user_id"):
        await session.execute(ORDER, await sign_up(connection))


async def test_insert_with_the_rights_of_a_functions_owner_keeps_the_honest_error(
    connection: Connection, parking: Connection
) -> None:
    """It could not be replayed with those rights, so it is not captured: neither by the mode nor by insert_or_park."""
    await connection.execute(
        """
        create function public.place(key uuid) returns void language sql security definer as
        $$ insert into public.orders (user_id, amount) values (key, 1) $$;
        create function public.place_or_park(key uuid) returns void language sql security definer as
        $$ select pgmend.insert_or_park('public.orders', jsonb_build_object('user_id', key, 'amount', 1)) $$;
        """
    )
    key = await sign_up(connection)

    for function in ("place", "place_or_park"):
        with pytest.raises(asyncpg.ForeignKeyViolationError, match="fk_orders_user_id"):
            await parking.execute(f"select public.{function}($1)", key)

    assert await count(connection, CAPTURED) == 0


@pytest.mark.parametrize("timing", ["deferrable", "deferrable initially deferred"])
async def test_deferrable_key_is_refused_with_the_reason(connection: Connection, timing: str) -> None:
    """The profile may come later in the same transaction, which a BEFORE trigger cannot know."""
    await connection.execute(
        f"""
        alter table public.orders drop constraint fk_orders_user_id;
        alter table public.orders add constraint fk_orders_user_id foreign key (user_id) references public.profiles (id) {timing}
        """
    )
    with pytest.raises(asyncpg.FeatureNotSupportedError, match="deferrable"):
        await connection.execute(PARK)


async def test_statement_of_many_rows_parks_those_whose_profile_is_missing(
    connection: Connection, parking: Connection, path: Path
) -> None:
    """COPY and multi-row inserts store what can be stored, and the worker brings the rest."""
    whole = await sign_up(connection, "whole@x")
    await pipeline.turn(path)
    keys = [await sign_up(connection, f"{n}@x") for n in range(3)]

    stored = await parking.execute("insert into public.orders (user_id, amount) select unnest($1::uuid[]), 1", [whole, *keys])
    await parking.copy_records_to_table("orders", columns=["user_id", "amount"], records=[(key, 2) for key in (whole, *keys)])

    assert (stored, await count(connection, "public.orders")) == ("INSERT 0 1", 2)
    await pipeline.turn(path)
    assert await count(connection, "public.orders") == 8


async def test_writer_of_a_few_columns_is_replayed_with_those(connection: Connection, parking: Connection, path: Path) -> None:
    """Columns that the writer may not name take their defaults, at the replay as they would have then."""
    await connection.execute(
        "revoke insert on public.orders from shop_writer; grant insert (user_id, amount) on public.orders to shop_writer"
    )
    key = await sign_up(connection)

    assert await parking.execute(ORDER, key) == "INSERT 0 0"
    await pipeline.turn(path)

    assert await dead_letters(connection) == []
    assert await count(connection, "public.orders where user_id = $1 and created_at is not null", key) == 1


async def test_partitioned_table_is_parked_at_its_root(connection: Connection, writer: Connection, path: Path) -> None:
    """A row for a partition whose columns stand in another order is captured whole, and replayed into the partitioned table."""
    await connection.execute(
        """
        create table public.visits (
            id int generated always as identity, user_id uuid, place text, constraint visits_user_id_fkey
            foreign key (user_id) references public.profiles (id)
        ) partition by list (place);
        create table public.visits_here (place text, user_id uuid, id int not null);
        alter table public.visits attach partition public.visits_here for values in ('here');
        grant insert on public.visits to shop_writer;
        select pgmend.guard('public.visits', 'visits_user_id_fkey', mode => 'park')
        """
    )
    key = await sign_up(connection)

    assert await writer.execute("insert into public.visits (user_id, place) values ($1, 'here')", key) == "INSERT 0 0"
    await pipeline.turn(path)

    assert await dead_letters(connection) == []
    assert await count(connection, "public.visits_here where user_id = $1", key) == 1


async def test_two_parked_keys_of_one_row_are_healed_one_after_the_other(
    connection: Connection, writer: Connection, path: Path
) -> None:
    """The row is captured once, for the first key; the other user's profile is made by that user's own event."""
    await connection.execute(
        """
        create table public.gifts (
            giver uuid constraint gifts_giver_fkey references public.profiles (id),
            taker uuid constraint gifts_taker_fkey references public.profiles (id)
        );
        grant insert on public.gifts to shop_writer;
        select pgmend.guard('public.gifts', 'gifts_giver_fkey', mode => 'park');
        select pgmend.guard('public.gifts', 'gifts_taker_fkey', mode => 'park')
        """
    )
    giver, taker = await sign_up(connection, "giver@x"), await sign_up(connection, "taker@x")

    await writer.execute("insert into public.gifts values ($1, $2)", giver, taker)
    captured = await count(connection, CAPTURED)
    await pipeline.turn(path)

    assert (captured, await count(connection, "public.gifts")) == (1, 1)


async def test_full_quota_leaves_the_honest_error(connection: Connection, parking: Connection) -> None:
    """A role with as many captured rows as it may have sees its inserts fail as they always did."""
    await connection.execute("update pgmend.limits set captured_rows = 1")
    key = await sign_up(connection)
    await parking.execute(ORDER, key)

    with pytest.raises(asyncpg.ForeignKeyViolationError, match="fk_orders_user_id"):
        await parking.execute(ORDER, key)

    assert await count(connection, CAPTURED) == 1


async def test_guard_that_is_taken_off_leaves_no_trigger(connection: Connection, parking: Connection) -> None:
    """Unguarded, or guarded in another mode, the table is as it was."""
    await connection.execute("select pgmend.guard('public.orders', 'fk_orders_user_id')")

    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await parking.execute(ORDER, await sign_up(connection))

    assert await count(connection, "pg_trigger where tgname like '%PGMEND_park%'") == 0


@pytest.mark.usefixtures("parking")
async def test_role_that_only_inherits_the_captures_keeps_the_honest_error(connection: Connection, make_role: MakeRole) -> None:
    """Nobody could replay for a member of a role that was granted them, so its row is not taken: by neither way."""
    await make_role("alice", "nologin in role shop_writer")
    key = await sign_up(connection)
    await connection.execute("set role alice")

    for insert in (ORDER, "select pgmend.insert_or_park('public.orders', jsonb_build_object('user_id', $1::uuid, 'amount', 1))"):
        with pytest.raises(asyncpg.ForeignKeyViolationError, match="fk_orders_user_id"):
            await connection.execute(insert, key)

    await connection.execute("reset role")
    assert await count(connection, CAPTURED) == 0
