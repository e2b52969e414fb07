"""The audit table belongs to the application, which may have divided it: what is not pgmend's, and what is young, stays."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.support.database import Database, count
from worker.core.audit import VOCABULARY
from worker.core.recorded_entry import AuditFilter
from worker.core.retention import Keeping
from worker.pipeline import Path
from worker.pruning import Pruning
from worker.store import audit_trail, migrations
from worker.store.connection import Connection

COLUMNS = """
    error_type text not null, severity text not null, user_id text, table_name text, constraint_name text, sqlstate text,
    message text not null, details jsonb not null default '{}', attempt integer, event_id bigint, correlation_id text,
    created_at timestamptz not null default clock_timestamp()
"""
DIVIDED = {
    "partitions": f"""
        create table public.error_logs ({COLUMNS}) partition by list (error_type);
        create table public.theirs partition of public.error_logs for values in ('PAYMENT_FAILED');
        create table public.replayed partition of public.error_logs for values in ('INSERT_REPLAYED');
        create table public.created partition of public.error_logs default
    """,
    "inheritance": f"""
        create table public.error_logs ({COLUMNS});
        create table public.theirs () inherits (public.error_logs);
        create table public.replayed () inherits (public.error_logs)
    """,
}
ENTRIES = """
    insert into public.theirs (error_type, severity, message, created_at)
    select 'PAYMENT_FAILED', 'error', 'theirs', now() - interval '400 days' from generate_series(1, 20);
    insert into public.replayed (error_type, severity, message, created_at)
    select 'INSERT_REPLAYED', 'info', 'young', now() from generate_series(1, 20);
    insert into public.error_logs (error_type, severity, message, created_at)
    select 'MISSING_PROFILE_CREATED', 'info', 'old', now() - interval '400 days' from generate_series(1, 20)
"""


@pytest.fixture(params=DIVIDED)
async def divided(empty_database: Database, request: pytest.FixtureRequest) -> Connection:
    """A database whose error_logs lies in several tables, where rows of different tables lie at the same place."""
    connection = await empty_database.connect()
    await connection.execute(DIVIDED[request.param])
    await migrations.apply(connection, error_logs_table="public.error_logs")
    await connection.execute(ENTRIES)
    return connection


async def test_pruning_a_divided_audit_deletes_nobody_elses_entries(divided: Connection) -> None:
    """An entry of another table that lies at the same place is another entry."""
    pruned = await Pruning(Keeping()).prune(divided)

    assert await count(divided, "public.error_logs where message = 'theirs'") == 20
    assert await count(divided, "public.error_logs where message = 'young'") == 20
    assert await count(divided, "public.error_logs where message = 'old'") == 0
    assert pruned.audit_entries == 20


async def test_page_of_a_divided_audit_holds_what_was_asked_for(divided: Connection) -> None:
    """Entries of another time that lie at the places of those that fit are not shown among them."""
    page = await audit_trail.search(divided, AuditFilter(until=datetime.now(UTC) - timedelta(days=100)), limit=100)

    assert sorted(entry.message for entry in page.entries) == ["old"] * 20 + ["theirs"] * 20


async def test_worker_cannot_have_entries_of_the_application_deleted(connection: Connection, lent: Path) -> None:
    """Which types go is not its own to say: it prunes for a login that may delete nothing of the audit itself."""
    await connection.execute(
        "insert into public.error_logs (error_type, severity, message) values ('PAYMENT_FAILED', 'error', 'theirs')"
    )
    signatures = await lent.connection.fetch(
        "select proargtypes::regtype[]::text as takes from pg_proc where proname = 'expire_audit_entries'"
    )

    await lent.connection.fetch("select pgmend.expire_audit_entries(1000, interval '-1 day')")

    assert [row["takes"] for row in signatures] == ["[0:1]={integer,interval}"]
    assert await count(connection, "public.error_logs where message = 'theirs'") == 1


async def test_types_that_expire_are_those_that_are_explained(connection: Connection) -> None:
    """The database knows the types of pgmend's entries as the vocabulary does; those of orphans have a pattern."""
    known = await connection.fetchval("select pgmend.audited_types()")

    assert {*known} == {name for name in VOCABULARY if not name.startswith("ORPHANED_")}
