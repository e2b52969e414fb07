"""Backfilling: the missing profiles of a source, batch by batch, by a person's word."""

import shlex

import pytest

from tests.support.database import Database, count, sign_up
from worker.backfilling import Backfilling
from worker.commands.parser import make_parser
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

NAMES_ARE_UNIQUE = """
    alter table public.profiles add constraint profiles_name_is_free unique (name);
    insert into public.users (email, full_name) values ('first@x', 'ada');
    insert into public.profiles (id, name) select id, 'ada' from public.users;
    set session_replication_role = replica;
    insert into public.users (email, full_name) values ('a@x', 'ada'), ('b@x', 'eve'), ('c@x', 'eve'), ('d@x', 'ada');
    insert into public.users (email, full_name, deleted_at) values ('erased@x', 'ada', now());
    reset session_replication_role
"""
ROWS_ARE_DROPPED = """
    create function public.drop_row() returns trigger language plpgsql as $$ begin return null; end $$;
    create trigger drop_row before insert on public.profiles for each row execute function public.drop_row()
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


@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize("prepare", ["select", BY_FUNCTION], ids=["columns", "function"])
async def test_user_whose_unique_key_is_taken_is_refused_by_that_key(
    connection: Connection, prepare: str, *, dry_run: bool
) -> None:
    """By a profile that is there, or by one of the same batch; nobody whom the constraint keeps without profile goes untold."""
    await connection.execute(prepare)
    await connection.execute(NAMES_ARE_UNIQUE)

    result = await fill(connection, dry_run=dry_run, size=100)

    assert (result.looked, result.healed, result.refused) == (6, 1, 3)
    assert [(it.failure.sqlstate, it.failure.constraint, it.users) for it in result.refusals] == [
        ("23505", "profiles_name_is_free", 3)
    ]
    assert await count(connection, "public.profiles where name = 'eve'") == (0 if dry_run else 1)
    assert await count(connection, "public.error_logs where details ->> 'lane' = 'backfill'") == (0 if dry_run else 1)


@pytest.mark.parametrize("prepare", ["select", BY_FUNCTION], ids=["columns", "function"])
async def test_user_whose_profile_is_dropped_without_an_error_is_counted(connection: Connection, prepare: str) -> None:
    """A trigger that returns null refuses as well as a constraint does, and says less."""
    await connection.execute(prepare)
    await connection.execute(UNANNOUNCED)
    await connection.execute("delete from public.users where char_length(full_name) > 120;" + ROWS_ARE_DROPPED)

    result = await fill(connection)

    assert (result.healed, [(it.failure.sqlstate, it.users) for it in result.refusals]) == (0, [("PM003", 10)])


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


@pytest.mark.parametrize("key", ["O'Neil", "-7", 'it\'s "quoted" \\ {,}'])
async def test_command_that_goes_on_where_a_paused_source_was_left_can_be_pasted(connection: Connection, key: str) -> None:
    """Whatever the key holds, a shell reads it back."""
    await connection.execute("select pgmend.pause_source(1, 'a person looks')")

    with pytest.raises(SourcePausedError) as refused:
        await fill(connection, after=key)

    commands = shlex.split(str(refused.value.hint))
    assert make_parser().parse_args(commands[commands.index("heal") :]).after == key


async def test_locked_user_holds_up_nobody(connection: Connection, database: Database) -> None:
    """A user whom somebody is just changing is passed over and counted; the others are healed."""
    ada, eve = await sign_up(connection, "ada@x"), await sign_up(connection, "eve@x")
    other = await database.connect()
    async with other.transaction():
        await other.execute("update public.users set deleted_at = now() where id = $1", ada)

        result = await fill(connection)

    assert result.healed == 1
    assert [(it.failure.sqlstate, it.users) for it in result.refusals] == [("55P03", 1)]
    assert await connection.fetchval("select id::text from public.profiles") == eve


async def test_many_locked_users_are_waited_for_once(connection: Connection, database: Database) -> None:
    """A hundred held by one session cost a moment, not a hundred moments: with 100 ms for each it would run out of time."""
    await connection.execute("insert into public.users (email) select n || '@x' from generate_series(1, 100) as n")
    other = await database.connect()
    await connection.execute("set statement_timeout = '5s'")
    async with other.transaction():
        await other.execute("update public.users set full_name = 'x'")

        result = await fill(connection, size=100)

    assert (result.healed, [(it.failure.sqlstate, it.users) for it in result.refusals]) == (0, [("55P03", 100)])
