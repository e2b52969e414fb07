"""Migrations: all or nothing, twice without harm, drift refused, uninstalled without a trace."""

import asyncio
from collections.abc import Sequence

import pytest

from tests.support.activity import lock_table
from tests.support.database import Database, count, install_application, sign_up
from tests.support.process import run_command
from tests.support.waiting import eventually
from worker import pipeline
from worker.errors import ErrorLogsShapeError, EventsPendingError, LockNotGrantedError, MigrationDriftError, SchemaNewerError
from worker.pipeline import Path
from worker.store import migrations
from worker.store.connection import Connection
from worker.store.locks import PAUSES_SECONDS

SCHEMA = """
select string_agg(line, E'\\n' order by line) from (
    select format('%s %s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod)) as line
    from pg_class as c join pg_attribute as a on a.attrelid = c.oid
    where c.relnamespace = 'pgmend'::regnamespace and a.attnum > 0
    union all
    select pg_get_functiondef(oid) from pg_proc where pronamespace = 'pgmend'::regnamespace
    union all
    select pg_get_constraintdef(oid) from pg_constraint where connamespace = 'pgmend'::regnamespace
    union all
    select pg_get_triggerdef(oid) from pg_trigger where tgrelid = 'pgmend.express_events'::regclass
    union all
    select coalesce(relacl::text, '') || relname from pg_class where relnamespace = 'pgmend'::regnamespace
) as lines
"""
HELD_BACK = "select $2 = any (pg_blocking_pids($1))"


async def test_second_run_changes_nothing(empty_database: Database) -> None:
    """What is applied is not applied again."""
    connection = await empty_database.connect()
    first = await migrations.apply(connection, error_logs_table="public.error_logs")
    second = await migrations.apply(connection, error_logs_table="public.error_logs")

    assert len(first.pending) == len(migrations.all_migrations())
    assert second.pending == ()


async def test_every_file_can_be_applied_twice(database: Database) -> None:
    """Each file is safe to paste again, on a database in use, and leaves the same schema."""
    connection = await database.connect()
    before = await connection.fetchval(SCHEMA)
    for migration in migrations.all_migrations():
        await connection.execute(migration.text)

    assert await connection.fetchval(SCHEMA) == before


async def test_pasted_sql_is_the_migrated_schema(empty_database: Database, database: Database) -> None:
    """What pgmend sql prints makes the same schema as pgmend migrate, and migrate finds nothing left to do."""
    _, printed, _ = await run_command("", "sql")
    pasted, migrated = await empty_database.connect(), await database.connect()
    await pasted.execute(printed)
    for connection in (pasted, migrated):
        await connection.execute("select pgmend.generate_source_functions(source_id) from pgmend.profile_sources")

    assert (await migrations.status(pasted)).pending == ()
    await migrated.execute("delete from pgmend.profile_sources; drop trigger pgmend_capture_sign_up_1 on public.users")
    await migrated.execute(
        "do $$ declare f text; begin for f in select oid::regprocedure from pg_proc "
        "where pronamespace = 'pgmend'::regnamespace and proname ~ '_1$' loop execute 'drop function ' || f; end loop; end $$"
    )
    assert await pasted.fetchval(SCHEMA) == await migrated.fetchval(SCHEMA)


async def test_two_who_migrate_at_once_do_it_once(empty_database: Database) -> None:
    """The second waits for the first and finds nothing to do."""
    connections = [await empty_database.connect() for _ in range(2)]
    states = await asyncio.gather(
        *(migrations.apply(connection, error_logs_table="public.error_logs") for connection in connections)
    )

    assert sorted(len(state.pending) for state in states) == [0, len(migrations.all_migrations())]


@pytest.mark.parametrize("act", ["migrate", "uninstall"])
async def test_lock_that_a_transaction_holds_is_given_up_before_it_is_a_deadlock_and_asked_for_again(
    database: Database, connection: Connection, act: str
) -> None:
    """A transaction that wants what is locked already, while it holds what is wanted next, is never ended for it."""
    await connection.execute("delete from pgmend.migrations where version > 3")
    other = await database.connect()
    await other.execute("set deadlock_timeout = '60s'")
    writing = await lock_table(other, "pgmend.dead_letters", "row exclusive")
    changing = asyncio.ensure_future(_change(connection, act))
    watching = await database.connect()
    await eventually(lambda: watching.fetchval(HELD_BACK, connection.get_server_pid(), other.get_server_pid()))

    await other.execute("select count(*) from pgmend.outbox")
    await writing.commit()
    await changing

    stands = await connection.fetchval("select to_regclass('pgmend.dead_letters') is not null")
    assert stands is (act == "migrate")


@pytest.mark.parametrize("act", ["migrate", "uninstall"])
async def test_lock_that_never_comes_is_given_up_with_what_to_do(database: Database, connection: Connection, act: str) -> None:
    """Nothing is changed, and the status is one of its own."""
    await connection.execute("delete from pgmend.migrations where version > 3")
    holding = await lock_table(await database.connect(), "pgmend.dead_letters", "row exclusive")
    with pytest.raises(LockNotGrantedError, match="tried 2 times -> nothing was changed"):
        await _change(connection, act, pauses=(0,))

    await holding.rollback()
    assert await connection.fetchval("select max(version) from pgmend.migrations") == 3


async def test_error_logs_of_another_shape_stops_the_installation_whole(empty_database: Database) -> None:
    """The error names each difference, and nothing at all is installed."""
    connection = await empty_database.connect()
    await connection.execute("create table public.error_logs (id int, error_type varchar(50), tenant int not null)")
    with pytest.raises(ErrorLogsShapeError) as refused:
        await migrations.apply(connection, error_logs_table="public.error_logs")

    assert "tenant is not null and has no default" in str(refused.value)
    assert "PGMEND_ERROR_LOGS_TABLE" in str(refused.value)
    assert await connection.fetchval("select to_regnamespace('pgmend') is null")


async def test_audit_goes_to_the_table_that_the_settings_name(empty_database: Database) -> None:
    """Beside an error_logs of another shape, a table of another name takes the entries."""
    connection = await empty_database.connect()
    await connection.execute("create table public.error_logs (id int)")
    await migrations.apply(connection, error_logs_table="public.pgmend_error_logs")
    await connection.execute("insert into pgmend.audit_entries (error_type, severity, message) values ('A', 'info', 'a')")

    assert await count(connection, "public.pgmend_error_logs") == 1


async def test_existing_error_logs_of_the_right_shape_is_kept(empty_database: Database) -> None:
    """Columns of the application's own do no harm as long as they may stay empty."""
    connection = await empty_database.connect()
    await migrations.apply(connection, error_logs_table="public.error_logs")
    await connection.execute("insert into error_logs (error_type, severity, message) values ('OLD', 'info', 'kept')")
    await migrations.uninstall(connection, discard_events=False)
    await connection.execute("alter table error_logs add column tenant integer")
    await migrations.apply(connection, error_logs_table="public.error_logs")

    assert await count(connection, "error_logs where error_type = 'OLD'") == 1


async def test_drift_is_refused_with_the_file_and_both_checksums(database: Database) -> None:
    """An applied migration that reads differently now is never passed over."""
    connection = await database.connect()
    await connection.execute("update pgmend.migrations set sha256 = 'feedfacecafe' || sha256 where version = 4")
    with pytest.raises(MigrationDriftError, match="0004_outbox differs from the file: applied feedfacecafe"):
        await migrations.status(connection)


async def test_newer_schema_is_refused(database: Database) -> None:
    """A worker does not touch a schema that it does not know."""
    connection = await database.connect()
    await connection.execute("insert into pgmend.migrations (version, name, sha256) values (9999, '9999_later', 'x')")
    with pytest.raises(SchemaNewerError, match="upgrade pgmend"):
        await migrations.require_current(connection)


async def test_uninstall_leaves_nothing_but_the_audit_table(empty_database: Database) -> None:
    """After it the catalog names pgmend nowhere, and the application works on."""
    connection = await empty_database.connect()
    await install_application(connection)
    await sign_up(connection)
    await migrations.uninstall(connection, discard_events=False)
    await sign_up(connection, "after@example.org")

    assert await connection.fetchval("select to_regnamespace('pgmend') is null")
    assert await count(connection, "pg_trigger where tgname like 'pgmend%'") == 0
    assert await count(connection, "pg_class where relname = 'error_logs'") == 1


async def test_uninstall_refuses_to_drop_captured_rows(database: Database, path: Path) -> None:
    """A captured insert is a row of the application's: it is lost only when that is asked for."""
    connection = await database.connect()
    key = await sign_up(connection)
    await connection.fetchval("select pgmend.insert_or_park('public.orders', $1)", f'{{"user_id": "{key}", "amount": 1}}')
    with pytest.raises(EventsPendingError, match=r"1 captured rows.*set pgmend\.discard_events = 'yes'.* --discard-events"):
        await migrations.uninstall(connection, discard_events=False)
    await pipeline.turn(path)
    await migrations.uninstall(connection, discard_events=False)

    assert await count(connection, "public.orders") == 1


async def _change(connection: Connection, act: str, pauses: Sequence[float] = PAUSES_SECONDS) -> None:
    if act == "migrate":
        await migrations.apply(connection, error_logs_table="public.error_logs", pauses=pauses)
    else:
        await migrations.uninstall(connection, discard_events=False, pauses=pauses)
