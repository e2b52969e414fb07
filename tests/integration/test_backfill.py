"""Backfilling: the missing profiles of a source, batch by batch, by a person's word."""

import pytest

from tests.support.database import Database, count, sign_up
from worker.backfilling import Backfilling
from worker.core.backfill import BackfillResult
from worker.errors import SourcePausedError
from worker.store.connection import Connection

UNANNOUNCED = """
    set session_replication_role = replica;
    insert into public.users (email) select 'u' || n || '@x' from generate_series(1, 10) as n;
    insert into public.users (email, deleted_at) values ('erased@x', now());
    insert into public.users (email, full_name) values ('long@x', repeat('x', 121)), ('longer@x', repeat('x', 130));
    reset session_replication_role
"""
BY_FUNCTION = """
    create function public.make_profile(key uuid) returns void language sql
    as $$ insert into public.profiles (id, name) select id, coalesce(full_name, 'x') from public.users where id = key $$;
    select pgmend.attach_source(
        'public.users', 'public.profiles', recipe_function => 'public.make_profile(uuid)',
        eligible_when => 'users.email is not null', erased_when => 'users.deleted_at is not null'
    )
"""


async def fill(connection: Connection, *, after: str | None = None, dry_run: bool = False, size: int = 4) -> BackfillResult:
    """Backfill the one source; say nothing."""
    return await Backfilling(connection, size, dry_run, lambda *_: None).fill(1, after=after)


@pytest.mark.parametrize("prepare", ["select", BY_FUNCTION], ids=["columns", "function"])
async def test_backfill_makes_what_is_missing_and_counts_what_is_refused(connection: Connection, prepare: str) -> None:
    """Across batches, each profile audited once; the erased are left alone."""
    await connection.execute(prepare)
    await connection.execute(UNANNOUNCED)

    result = await fill(connection)

    assert (result.looked, result.healed, result.refused) == (13, 10, 2)
    assert [(it.failure.constraint, it.users) for it in result.refusals] == [("profiles_name_is_short", 2)]
    assert await count(connection, "public.profiles") == 10
    assert await count(connection, "public.error_logs where details ->> 'lane' = 'backfill'") == 10
    assert await count(connection, "public.profiles join public.users using (id) where deleted_at is not null") == 0


async def test_backfill_goes_on_after_a_key_and_heals_nobody_twice(connection: Connection) -> None:
    """Ended anywhere and started again, with or without the key, it comes to the same."""
    await connection.execute(UNANNOUNCED)
    keys = [row[0] for row in await connection.fetch("select id::text from public.users order by id")]

    rest, again, none = await fill(connection, after=keys[6]), await fill(connection), await fill(connection)

    assert (rest.looked, again.looked, none.healed) == (6, 13, 0)
    assert rest.healed + again.healed == 10
    assert await count(connection, "public.error_logs where error_type = 'MISSING_PROFILE_CREATED'") == 10


async def test_backfill_of_nobody_is_done(connection: Connection) -> None:
    """An empty users table is no error."""
    assert await fill(connection) == BackfillResult(1, 0, 0, ())


async def test_dry_run_tries_for_real_and_leaves_nothing(connection: Connection) -> None:
    """It knows what the database refuses, and every profile is taken back."""
    await connection.execute(UNANNOUNCED)

    result = await fill(connection, dry_run=True)

    assert (result.healed, result.refused) == (10, 2)
    assert await count(connection, "public.profiles") + await count(connection, "public.error_logs") == 0


async def test_source_that_is_paused_while_it_is_filled_up_stops(connection: Connection) -> None:
    """Between two batches a person has paused it: what stands stands, and the error says where to go on."""
    await connection.execute(UNANNOUNCED)
    batches = []
    filling = Backfilling(connection, 4, False, lambda _, batch: batches.append(batch))  # noqa: FBT003
    await connection.execute("select pgmend.pause_source(1, 'a person looks')")

    with pytest.raises(SourcePausedError, match="a person looks"):
        await filling.fill(1, after=None)

    assert batches == []
    assert await count(connection, "public.profiles") == 0


async def test_locked_user_holds_up_nobody(connection: Connection, database: Database) -> None:
    """A user whom somebody is just changing is passed over; the others are healed."""
    ada, eve = await sign_up(connection, "ada@x"), await sign_up(connection, "eve@x")
    other = await database.connect()
    async with other.transaction():
        await other.execute("update public.users set deleted_at = now() where id = $1", ada)

        result = await fill(connection)

    assert result.healed == 1
    assert await connection.fetchval("select id::text from public.profiles") == eve
