"""Rights: what others have made never runs with ours, and what we run has no more than it needs."""

import json

import asyncpg
import pytest

from tests.integration.conftest import MakeRole
from tests.support.database import Database, count, sign_up
from worker.store.connection import Connection

SPY = """
    create function pg_temp.spy(given pg_catalog.text) returns boolean language plpgsql as
    $$ begin raise notice '%', current_user; return true; end $$;
"""
BAIT = """
    create domain pg_temp.boom as text check (pg_temp.spy(value));
    create temp table parent (x text primary key);
    create temp table bait (x pg_temp.boom primary key references parent);
"""
NAMESAKES = {
    "type": "create domain pg_temp.text as pg_catalog.text check (pg_temp.spy(value))",
    "name": "create domain pg_temp.name as pg_catalog.name check (pg_temp.spy(value::pg_catalog.text))",
    "catalog": "create temp view pg_constraint as select * from pg_catalog.pg_constraint where pg_temp.spy(conname::text)",
    "columns": """
        create temp view pg_attribute as select attrelid, attnum, attname, atttypid, attgenerated, attisdropped
        from pg_catalog.pg_attribute where pg_temp.spy(attname::text)
    """,
}


async def spied_as(session: Connection) -> set[str]:
    """Make pg_temp.spy; return the set that will hold every role it has run as."""
    seen: set[str] = set()
    session.add_log_listener(lambda _, message: seen.add(message.message or ""))
    await session.execute(SPY)
    return seen


@pytest.mark.parametrize("capture", ["insert_or_park('bait', '{\"x\": 1}')", "report_failed_insert('bait', '{\"x\": 1}')"])
async def test_callers_types_are_read_with_the_callers_rights(writer: Connection, capture: str) -> None:
    """A type with a function behind it gains nothing by a capture, and a table that nobody guards is refused."""
    seen = await spied_as(writer)
    await writer.execute(BAIT)

    with pytest.raises(asyncpg.ForeignKeyViolationError, match=r"no guarded constraint|bait_x_fkey"):
        await writer.execute(f"select pgmend.{capture}")

    await writer.execute("select")
    assert seen == {"shop_writer"}


@pytest.mark.parametrize("namesake", NAMESAKES)
async def test_callers_temporary_names_stand_for_nothing_of_ours(
    connection: Connection, writer: Connection, namesake: str
) -> None:
    """What a caller names like a type or a table of the catalog is not taken for it where our rights are at work."""
    key = await sign_up(connection)
    seen = await spied_as(writer)
    await writer.execute(NAMESAKES[namesake])

    row = json.dumps({"user_id": key, "amount": 1})
    await writer.execute(f"select pgmend.insert_or_park('public.orders', '{row}')")

    assert await count(connection, "pgmend.outbox where kind = 'insert_failed'") == 1
    await writer.execute("select")
    assert seen <= {"shop_writer"}


async def test_whether_a_row_stands_is_looked_up_without_our_rights(make_role: MakeRole, database: Database) -> None:
    """A member of pgmend_worker who asks about a table of their own making runs its functions as themselves."""
    await make_role("lent_worker", "nologin in role pgmend_worker")
    session = await database.connect()
    await session.execute("set role lent_worker")
    seen = await spied_as(session)
    await session.execute(BAIT)

    await session.execute("select pgmend.replay_as('lent_worker', null, 'bait', null, '{\"x\": \"1\"}', true)")

    assert not seen - {"lent_worker"}


async def test_every_function_with_our_rights_pins_its_search_path(connection: Connection) -> None:
    """Security definer goes with the catalog first and temporary names last; only the sign-up trigger qualifies instead."""
    unpinned = await connection.fetch(
        """
        select proname from pg_proc
        where pronamespace = 'pgmend'::regnamespace and prosecdef and proname !~ '^capture_sign_up_[0-9]+$'
            and not coalesce('search_path=pg_catalog, pg_temp' = any (proconfig), false)
        """
    )

    assert unpinned == []


async def test_functions_with_our_rights_that_take_a_table_read_its_rows_as_text(connection: Connection) -> None:
    """One writes a row down as text, two write a statement about its table: none of them looks into the table itself."""
    takers = await connection.fetch(
        """
        select proname from pg_proc
        where pronamespace = 'pgmend'::regnamespace and prosecdef
            and proargtypes::oid[] && array['regclass', 'anyelement', 'record', 'anyarray']::regtype[]::oid[]
        order by proname
        """
    )

    assert [row["proname"] for row in takers] == ["recognition_statement", "record_failed_insert", "replay_statement"]


async def test_public_may_do_nothing(connection: Connection) -> None:
    """No function, table, column, sequence, nor the schema itself, is open to everybody."""
    opened = await connection.fetch(
        """
        with secured (acl, what) as (
            select coalesce(proacl, acldefault('f', proowner)), proname::text from pg_proc where pronamespace = $1::regnamespace
            union all select relacl, relname from pg_class where relnamespace = $1::regnamespace
            union all
            select attacl, attname from pg_attribute
            where attrelid in (select oid from pg_class where relnamespace = $1::regnamespace)
            union all select nspacl, nspname from pg_namespace where oid = $1::regnamespace
        )
        select what from secured, aclexplode(secured.acl) as granted where granted.grantee = 0
        """,
        "pgmend",
    )

    assert opened == []


async def test_writer_may_capture_and_nothing_else(connection: Connection, writer: Connection) -> None:
    """The grant of the captures opens these functions and no table; the one that replays for the writer is the writer's own."""
    functions = await writer.fetch(
        """
        select proname from pg_proc
        where pronamespace = 'pgmend'::regnamespace and has_function_privilege(oid, 'execute') order by proname
        """
    )
    tables = "pg_class where relnamespace = 'pgmend'::regnamespace and has_table_privilege('shop_writer', oid, 'select, insert')"

    assert [row["proname"] for row in functions] == [
        "insert_or_park",
        "insertable_columns",
        "park_row",
        "printed_row",
        "recognition_statement",
        "record_failed_insert",
        "replay_as_1",
        "replay_statement",
        "report_failed_insert",
        "row_image",
        "rows_written",
        "settle_constraints",
    ]
    assert await count(connection, f"{tables} and relkind in ('r', 'v')") == 0
