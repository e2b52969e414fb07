"""Privileges, walked through in the catalog: what is open, to whom, and with whose rights each function runs."""

from tests.integration.conftest import MakeRole
from tests.support.database import Database, install_application
from worker.store import migrations
from worker.store.connection import Connection

GUARDS = """
    select pgmend.guard('public.orders', 'fk_orders_user_id', mode => 'ensure');
    select pgmend.guard('public.leads', 'leads_user_id_fkey', mode => 'park')
"""
OPEN_TO_PUBLIC = """
    select format('%s %s', kind, name) from (
        select 'function' as kind, oid::regprocedure::text as name, coalesce(proacl, acldefault('f', proowner)) as acl
        from pg_proc where pronamespace = 'pgmend'::regnamespace
        union all
        select 'relation', oid::regclass::text, coalesce(relacl, acldefault('r', relowner))
        from pg_class where relnamespace = 'pgmend'::regnamespace and relkind in ('r', 'v', 'S')
        union all
        select 'schema', nspname, coalesce(nspacl, acldefault('n', nspowner)) from pg_namespace where nspname = 'pgmend'
    ) as object (kind, name, acl)
    where exists (select from aclexplode(object.acl) as granted where granted.grantee = 0)
"""
OPEN_TO_ROLE = """
    select oid::regprocedure::text from pg_proc
    where pronamespace = 'pgmend'::regnamespace and has_function_privilege('{0}', oid, 'execute') and proowner <> '{0}'::regrole
    union all
    select oid::regclass::text from pg_class
    where relnamespace = 'pgmend'::regnamespace and relkind in ('r', 'v')
        and has_table_privilege('{0}', oid, 'select, insert, delete')
"""
NOT_PINNED = """
    select distinct regexp_replace(proname, '_\\d+$', '_N')
    from pg_proc
    where pronamespace = 'pgmend'::regnamespace
        and not exists (select from unnest(proconfig) as setting where setting = 'search_path=pg_catalog, pg_temp')
    order by 1
"""
DEFINERS = """
    select distinct regexp_replace(proname, '_\\d+$', '_N') from pg_proc
    where pronamespace = 'pgmend'::regnamespace and prosecdef order by 1
"""
WORKER_CALLS = """
    select proname from pg_proc
    where pronamespace = 'pgmend'::regnamespace and proname ~ '_\\d+$' and has_function_privilege('pgmend_worker', oid, 'execute')
    order by 1
"""
WORKER_WRITES = """
    select format('%s %s', table_name, string_agg(lower(privilege_type), ', ' order by privilege_type))
    from information_schema.role_table_grants
    where grantee = 'pgmend_worker' and privilege_type <> 'SELECT'
    group by table_name order by table_name
"""


async def test_nothing_is_open_to_everybody(connection: Connection) -> None:
    """Neither the schema nor anything in it, what a guard or an attachment makes included."""
    await connection.execute(GUARDS)

    assert await _column(connection, OPEN_TO_PUBLIC) == []


async def test_search_path_is_pinned_wherever_it_may_be(connection: Connection) -> None:
    """The others run the application's own statements (decision 0007), or qualify every name because they run for every row."""
    await connection.execute(GUARDS)

    assert await _column(connection, NOT_PINNED) == [
        "capture_sign_up_N",
        "ensure_guarded_N",
        "find_missing_N",
        "insert_or_park",
        "park_guarded_N",
        "park_row",
        "replay_as",
        "replay_as_N",
        "report_failed_insert",
        "row_image",
        "settle_constraints",
    ]


async def test_rights_of_the_installer_are_lent_only_where_they_must_be(connection: Connection) -> None:
    """Writing events, healing, looking at users, counting orphans: nothing that evaluates what a caller brings."""
    await connection.execute(GUARDS)

    assert await _column(connection, DEFINERS) == [
        "backfill_users",
        "capture_sign_up_N",
        "count_N",
        "defer_again",
        "discard",
        "drop_erased",
        "ensure_guarded_N",
        "expire_audit_entries",
        "expire_captured_rows",
        "expire_dead_letters",
        "facts_N",
        "find_missing_N",
        "heal_N",
        "heal_alone_N",
        "heal_batch_N",
        "heal_one_N",
        "hold_N",
        "make_events_due",
        "pause_source",
        "recognition_statement",
        "record_failed_insert",
        "refused_conditions",
        "replay_statement",
        "requeue",
        "resume_source",
        "resume_waiting",
        "sweep_N",
        "tally_orphans",
        "wanted_N",
    ]


async def test_worker_writes_to_its_own_tables_and_to_nothing_of_the_application(connection: Connection) -> None:
    """What it heals and replays, it does through functions."""
    assert await _column(connection, WORKER_WRITES) == [
        "audit_entries insert",
        "careful_events delete, insert, update",
        "dead_letters delete, insert, update",
        "express_events delete, update",
        "orphan_counts delete, insert, update",
        "reference_keys delete, insert, update",
        "source_failures delete, insert, update",
        "user_counts delete, insert, update",
        "workers delete, insert, update",
    ]


async def test_worker_calls_what_it_asks_and_no_more(connection: Connection) -> None:
    """Of the functions that are made for a source, those that answer the worker's questions."""
    await connection.execute(GUARDS)

    assert await _column(connection, WORKER_CALLS) == [
        "count_1",
        "facts_1",
        "heal_1",
        "heal_one_1",
        "hold_1",
        "replay_as_0",
        "sweep_1",
    ]


async def test_every_path_of_a_function_of_ours_is_qualified(database: Database) -> None:
    """Functions that pin no search path find what they need also where there is none."""
    connection = await database.connect()
    await connection.execute(GUARDS)
    await connection.execute("set search_path = ''")

    key = await connection.fetchval("insert into public.users (email) values ('ada@x') returning id::text")
    await connection.execute("insert into public.orders (user_id, amount) values ($1, 1)", key)
    await connection.execute("select pgmend.report_failed_insert('public.orders', jsonb_build_object('user_id', $1::text))", key)
    other = await connection.fetchval("insert into public.users (email) values ('grace@x') returning id::text")
    await connection.execute("insert into public.leads (user_id, source) values ($1, 'web')", other)

    captured = await connection.fetchval("select array_agg(kind order by kind) from pgmend.outbox")
    assert captured == ["insert_failed", "insert_failed", "user_created", "user_created"]


async def _column(connection: Connection, query: str) -> list[str]:
    return [row[0] for row in await connection.fetch(query)]


async def test_default_privileges_open_nothing_of_ours(empty_database: Database, make_role: MakeRole) -> None:
    """Not even those that hold in every schema; what is made later for a source, a guard or a writer included."""
    connection = await empty_database.connect()
    await make_role("outsider")
    await make_role("granted")
    for kind in ("tables", "functions", "sequences", "schemas"):
        await connection.execute(f"alter default privileges grant all on {kind} to outsider, granted, public")

    await install_application(connection)
    await connection.execute(f"{GUARDS}; select pgmend.grant_captures('granted')")
    for migration in migrations.all_migrations():
        await connection.execute(migration.text)

    assert await _column(connection, OPEN_TO_PUBLIC) == []
    assert await _column(connection, OPEN_TO_ROLE.format("outsider")) == []
    assert "pgmend.insert_or_park(regclass,jsonb)" in await _column(connection, OPEN_TO_ROLE.format("granted"))
    assert "pgmend.requeue(bigint[])" not in await _column(connection, OPEN_TO_ROLE.format("granted"))
    await connection.execute("drop owned by outsider; drop owned by granted")
