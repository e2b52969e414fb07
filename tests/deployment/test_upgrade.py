"""Upgrades and rolling restarts: old workers on a newer schema, new ones on an older, and one after the other."""

import asyncio
import signal

import pytest

from tests.conftest import StartWorker
from tests.support.database import Database, count, sign_up
from tests.support.process import WorkerProcess
from tests.support.waiting import eventually
from tests.support.workload import park_order, settled
from worker.store import locks, migrations
from worker.store.connection import Connection

EXPANDED = """
    set local lock_timeout = '500ms';
    alter table pgmend.express_events add column later text;
    alter table pgmend.careful_events add column later jsonb not null default '{}';
    alter table pgmend.dead_letters add column later text;
    alter table pgmend.workers add column later integer not null default 0;
    insert into pgmend.migrations (version, name, sha256) values (9999, '9999_later', 'unknown to this worker')
"""
"""What the migration of a later version may do beneath workers of this one: add, with a default, and take nothing away.

It is applied as ``pgmend migrate`` applies one: the worker's first sweep holds the tables in an order of its own.
"""
LOSE_CONNECTIONS = (
    "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and application_name = 'pgmend'"
)
RARE = {"poll_interval_seconds": 3600, "sweep_interval_seconds": 3600}


async def test_worker_goes_on_when_the_schema_becomes_newer_beneath_it(connection: Connection, start: StartWorker) -> None:
    """After the migration of the next version it heals and replays, on its old connections and on new ones."""
    worker = await start(**RARE)
    await worker.logged("listener_connected")
    await locks.patiently(connection, lambda: connection.execute(EXPANDED))
    await park_order(connection, await sign_up(connection))
    await settled(connection)
    await connection.execute(LOSE_CONNECTIONS)
    await eventually(lambda: _listens_again(worker))
    await park_order(connection, await sign_up(connection, "second@example.org"))
    await settled(connection)

    assert await count(connection, "public.profiles") == 2
    assert await count(connection, "public.orders") == 2
    assert worker.process.returncode is None


@pytest.mark.parametrize(
    ("change", "status", "hint"),
    [
        ("insert into pgmend.migrations (version, name, sha256) values (9999, '9999_later', 'x')", 15, "upgrade pgmend"),
        ("delete from pgmend.migrations where version = (select max(version) from pgmend.migrations)", 14, "run pgmend migrate"),
    ],
    ids=["newer", "older"],
)
async def test_worker_that_starts_on_another_schema_refuses_and_says_what_to_do(
    connection: Connection, start: StartWorker, change: str, status: int, hint: str
) -> None:
    """An old worker restarted after the migration, and a new one that starts before it, say what is to come."""
    await connection.execute(change)
    worker = await start()

    assert await worker.ended() == status
    assert worker.stderr.decode().strip().endswith(f"-> {hint}")
    assert worker.lines == []


async def test_migration_beneath_working_workers_loses_nothing(
    database: Database, connection: Connection, start: StartWorker
) -> None:
    """Migrations applied anew while sign-ups arrive and a worker heals: they wait for locks, and every user becomes whole."""
    worker = await start(**RARE)
    await worker.logged("listener_connected")
    writer = await database.connect()
    await connection.execute("delete from pgmend.migrations where version > 3")

    async def migrate() -> None:
        await migrations.apply(connection, error_logs_table="public.error_logs")

    migrating = asyncio.ensure_future(migrate())
    users = [await sign_up(writer, f"{number}@example.org") for number in range(200)]
    await migrating
    await settled(connection)

    assert await count(connection, "public.profiles") == len(users)
    assert (await migrations.status(connection)).pending == ()
    assert worker.process.returncode is None


async def test_rolling_restart_under_load_handles_every_event_once(
    database: Database, connection: Connection, start: StartWorker
) -> None:
    """Two workers are replaced one after the other while sign-ups arrive: each leaves with 0, and each user is healed once."""
    old = [await start(**RARE) for _ in range(2)]
    writer = await database.connect()

    async def write() -> None:
        for number in range(400):
            await sign_up(writer, f"{number}@example.org")

    writing = asyncio.ensure_future(write())
    statuses = []
    for worker in old:
        await worker.logged("listener_connected")
        await (await start(**RARE)).logged("listener_connected")
        worker.send(signal.SIGTERM)
        statuses.append(await worker.ended())
    await writing
    await settled(connection)

    assert statuses == [0, 0]
    assert await count(connection, "public.profiles") == 400
    assert await count(connection, "public.error_logs where error_type = 'MISSING_PROFILE_CREATED'") == 400


async def _listens_again(worker: WorkerProcess) -> bool:
    return bool(sum(line["event"] == "listener_connected" for line in worker.lines) > 1)
