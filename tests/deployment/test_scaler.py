"""The question that KEDA asks, asked of a real database by the role that is made for it."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.support.database import Database, drop_database, sign_up
from tests.support.manifests import KUBERNETES, the
from worker.store import migrations
from worker.store.connection import Connection, Target, connect

QUERY = the("ScaledObject", "scaling")["spec"]["triggers"][0]["metadata"]["query"]
ROLE = (KUBERNETES / "scaling" / "scaler_role.sql").read_text()


@pytest.fixture
async def scaler(database: Database) -> AsyncIterator[Connection]:
    """A session of the role, which goes after the test's database."""
    await (await database.connect()).execute(ROLE)
    session = await connect(Target(database.cluster.url(database.name, "pgmend_scaler")))
    yield session
    session.terminate()
    await drop_database(database)
    admin = await asyncpg.connect(database.cluster.url())
    await admin.execute("drop role pgmend_scaler")
    await admin.close()


async def test_scaler_counts_events_that_are_due(connection: Connection, scaler: Connection) -> None:
    """Sign-ups and captured rows count from when they are due, and one that is released for later does not."""
    before = await scaler.fetchval(QUERY)
    key = await sign_up(connection)
    await connection.fetchval("select pgmend.insert_or_park('public.orders', $1)", f'{{"user_id": "{key}", "amount": 1}}')
    due = await scaler.fetchval(QUERY)
    await connection.execute("update pgmend.careful_events set available_at = clock_timestamp() + interval '1 hour'")

    assert (before, due, await scaler.fetchval(QUERY)) == (0, 2, 1)


async def test_scaler_reads_nothing_of_an_event(connection: Connection, scaler: Connection) -> None:
    """Neither whose event it is nor the captured row, and no other table of the schema."""
    await sign_up(connection)
    for denied in ("user_key from pgmend.express_events", "row_image from pgmend.careful_events", "1 from pgmend.dead_letters"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await scaler.fetchval(f"select {denied}")


async def test_scaler_has_its_rights_again_once_they_are_granted_anew(connection: Connection, scaler: Connection) -> None:
    """A migration closes the schema to roles that it does not know, as the file says: running that once more is enough."""
    await connection.execute("delete from pgmend.migrations where version = (select max(version) from pgmend.migrations)")
    await migrations.apply(connection, error_logs_table="public.error_logs")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await scaler.fetchval(QUERY)
    await connection.execute(ROLE)

    assert await scaler.fetchval(QUERY) == 0
