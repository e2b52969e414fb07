"""A database that is put back to an earlier state, beneath workers and without them."""

import asyncpg

from tests.conftest import StartWorker
from tests.support.database import Database, count, create_database, drop_database, sign_up
from tests.support.waiting import eventually
from tests.support.workload import settled
from worker.store.connection import Connection

RARE = {"poll_interval_seconds": 3600, "sweep_interval_seconds": 3600, "heartbeat_interval_seconds": 0.2}
YESTERDAYS_LEASE = "select setval('pgmend.doorbell_lease', (extract(epoch from now() - interval '1 day') * 1000)::bigint)"


async def test_lease_of_a_backup_keeps_nobody_from_ringing_once_a_worker_is_there(
    connection: Connection, start: StartWorker
) -> None:
    """A dump of a busy database says that a worker is awake; the first one that starts takes that word back."""
    await connection.execute(YESTERDAYS_LEASE)
    before = await sign_up(connection)
    worker = await start(**RARE)
    await worker.logged("listener_connected")
    await settled(connection)
    await eventually(lambda: connection.fetchval("select pg_sequence_last_value('pgmend.doorbell_lease') = 0"))
    after = await sign_up(connection, "after@example.org")
    await settled(connection)

    assert await count(connection, "public.profiles where id in ($1, $2)", before, after) == 2


async def test_database_put_back_beneath_a_worker_is_healed_by_it(database: Database, start: StartWorker) -> None:
    """Numbers of events begin again below what the worker has seen: it starts from there, without a restart."""
    backup = await create_database(database.cluster, database.name)
    worker = await start(**RARE)
    await worker.logged("listener_connected")
    await _heal_many(await database.connect())
    await _put_back(database, backup)

    restored = await database.connect()
    await eventually(lambda: count(restored, "pgmend.workers where listening"))
    key = await sign_up(restored)
    await settled(restored)

    assert await count(restored, "public.profiles where id = $1", key) == 1
    assert await restored.fetchval("select last_value from pgmend.event_ids") < 10
    assert worker.process.returncode is None
    await drop_database(backup)


async def _heal_many(connection: Connection) -> None:
    """Raise what the worker remembers well above the first numbers."""
    for _ in range(3):
        await connection.execute("insert into public.users (full_name) select 'u' from generate_series(1, 3000)")
        await settled(connection)


async def _put_back(database: Database, backup: Database) -> None:
    """Replace a database by a copy of its earlier self, in one moment as far as its clients are concerned."""
    admin = await asyncpg.connect(database.cluster.url())
    await admin.execute(f"drop database {database.name} with (force)")
    await admin.execute(f"create database {database.name} template {backup.name}")
    await admin.close()
