"""Healing on the server: batches, suspects, poison, and plans that stay right when the tables grow."""

import json

import pytest

from tests.support.database import count, sign_up
from worker import pipeline
from worker.pipeline import Path
from worker.store.connection import Connection


async def outcomes(connection: Connection, *keys: str) -> dict[str, tuple[str, str | None]]:
    """Heal the users in one call; return outcome and SQLSTATE by key."""
    rows = await connection.fetch("select * from pgmend.heal_users(1, $1)", list(keys))
    return {row["user_key"]: (row["outcome"], json.loads(row["failure"] or "{}").get("sqlstate")) for row in rows}


async def test_suspect_is_tried_alone_and_fails_alone(connection: Connection) -> None:
    """A profile that a CHECK would refuse does not fail the batch, and the evidence is the database's own."""
    good, bad = await sign_up(connection, "a@x"), await sign_up(connection, "b@x", "x" * 121)

    assert await outcomes(connection, good, bad) == {good: ("healed", None), bad: ("failed", "23514")}


async def test_suspect_that_a_trigger_makes_good_is_healed(connection: Connection) -> None:
    """Suspicion is a guess: the row is tried, and what a BEFORE trigger does to it counts."""
    await connection.execute(
        """
        create function public.shorten() returns trigger language plpgsql as
        $$ begin new.name := left(new.name, 120); return new; end $$;
        create trigger shorten before insert on public.profiles for each row execute function public.shorten();
        """
    )
    key = await sign_up(connection, "b@x", "x" * 121)

    assert await outcomes(connection, key) == {key: ("healed", None)}


@pytest.mark.parametrize("timing", ["before insert", "after insert"])
async def test_row_that_a_trigger_refuses_is_found_among_many(connection: Connection, timing: str) -> None:
    """What nobody could foresee fails the batch; it is split until the row stands alone, and the others are healed."""
    await connection.execute(
        f"""
        create function public.refuse() returns trigger language plpgsql as
        $$ begin if new.name = 'u70' then raise 'not you' using errcode = 'P0042'; end if; return new; end $$;
        create trigger refuse {timing} on public.profiles for each row execute function public.refuse();
        """
    )
    keys = {email: await sign_up(connection, email) for email in (f"u{n}@x" for n in range(100))}

    healed = await outcomes(connection, *keys.values())

    assert healed.pop(keys["u70@x"]) == ("failed", "P0042")
    assert set(healed.values()) == {("healed", None)}
    assert len(healed) == 99


async def test_another_unique_column_that_is_taken_leaves_the_user_unsettled(connection: Connection, path: Path) -> None:
    """A collision on a column that is not the key is no success: it becomes a dead letter that names the constraint."""
    await connection.execute("alter table public.profiles add constraint profiles_name_is_taken_once unique (name)")
    await sign_up(connection, "same@x")
    await sign_up(connection, "same@y")

    await pipeline.turn(path)

    letter = await connection.fetchrow("select verdict, sqlstate, hint from pgmend.dead_letters")
    assert letter is not None
    assert (letter["verdict"], letter["sqlstate"]) == ("needs_recipe", "23505")
    assert "profiles_name_is_taken_once" in letter["hint"]
    assert await count(connection, "public.profiles") == 1


async def test_plans_made_on_empty_tables_read_no_more_than_they_need(connection: Connection, path: Path) -> None:
    """A worker that started on an empty database still heals by the index, row by row, once thousands have signed up."""
    for _ in range(8):
        await pipeline.turn(path)
    await connection.execute("insert into public.users (email) select 'u' || n from generate_series(1, 3000) as n")
    while (await pipeline.turn(path)).more:
        pass
    await path.connection.fetchval("select pg_stat_clear_snapshot()")

    reads = await path.connection.fetch(
        """
        select relname, pg_stat_get_xact_numscans(relid) as now, seq_tup_read, idx_tup_fetch
        from pg_stat_user_tables where relname in ('profiles', 'users', 'outbox')
        """
    )
    assert await count(connection, "public.profiles") == 3000
    for table in reads:
        assert (table["seq_tup_read"] or 0) + (table["idx_tup_fetch"] or 0) < 40_000, dict(table)
