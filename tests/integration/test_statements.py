"""Every statement in sql/statements prepares against the schema, and every one is used."""

from pathlib import Path as FilePath

import pytest

from tests.support.database import Database
from worker.store.connection import Connection
from worker.store.statements import sql_directory, statement

ROOT = sql_directory() / "statements"
NAMES = sorted(str(path.relative_to(ROOT).with_suffix("")) for path in ROOT.rglob("*.sql"))


@pytest.mark.parametrize("name", NAMES)
async def test_statement_prepares(connection: Connection, name: str) -> None:
    """The server parses and plans the statement with the types that it finds."""
    assert await connection.prepare(statement(name)) is not None


def test_every_statement_is_used_under_its_own_name() -> None:
    """A statement's path is named in exactly one module of the store, the one of its folder's name."""
    store = FilePath(__file__).parents[2] / "worker" / "store"
    for name in NAMES:
        users = [path.stem for path in store.glob("*.py") if f'statement("{name}")' in path.read_text()]
        assert users == [name.partition("/")[0]], name


async def test_express_claim_walks_the_primary_key(database: Database) -> None:
    """The claim of the express lane reads the outbox in the order of its ids, from the low-water mark on."""
    connection = await database.connect()
    await connection.execute(
        "insert into public.users (email) select 'u' || n from generate_series(1, 5000) as n; analyze pgmend.express_events"
    )
    text = statement("outbox/express").replace("$1", "4000").replace("$2", "100").replace("$3", "0")
    plan = await connection.fetch(f"explain (costs off) {text}")

    assert "Index Scan using express_events_pkey" in "\n".join(row[0] for row in plan)


async def test_traceparents_that_nobody_wants_are_not_looked_for(database: Database) -> None:
    """Where no spans are made, the express statement pays nothing for them: that part of its plan never runs."""
    connection = await database.connect()
    await connection.execute("insert into public.users (email) select 'u' || n from generate_series(1, 100) as n")
    text = statement("outbox/express").replace("$1", "0").replace("$2", "100").replace("$3", "0")
    plan = "\n".join(row[0] for row in await connection.fetch(f"explain (analyze, costs off, timing off) {text}"))

    filtered = plan[: plan.index("correlation_id ~~")].splitlines()
    assert "CTE Scan on claimed" in filtered[-2]
    assert "never executed" in filtered[-2]


async def test_careful_claim_uses_the_index_of_what_is_due(database: Database) -> None:
    """Thousands of events that wait for later do not slow the claim of those that are due."""
    connection = await database.connect()
    await connection.execute(
        """
        insert into pgmend.careful_events (source_id, kind, user_key, available_at)
        select 1, 'user_created', n::text, now() + interval '1 hour' from generate_series(1, 5000) as n;
        analyze pgmend.careful_events
        """
    )
    await connection.execute("set enable_seqscan = off")
    claim = statement("outbox/claim").replace("$1", "100")
    plan = await connection.fetch("explain (costs off) " + claim.replace("$2", "'{}'").replace("$3", "true"))

    assert "careful_events_by_available_at" in "\n".join(row[0] for row in plan)
