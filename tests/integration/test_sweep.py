"""The sweep: finds the users that nothing announced."""

import asyncio

import pytest

from tests.support.database import Database, count, sign_up
from tests.support.waiting import eventually
from worker import pipeline
from worker.core.meters import Meters
from worker.log import Log
from worker.pipeline import Path
from worker.runtime.orphan_watch import OrphanWatch
from worker.runtime.stopping import Stop
from worker.runtime.sweeper import Sweeper
from worker.store import profiles
from worker.store.connection import Connection, Target
from worker.sweeping import sweep


async def sign_up_unannounced(connection: Connection, users: int) -> None:
    """Insert users as a restore would: without any trigger."""
    await connection.execute("set session_replication_role = replica")
    for _ in range(users):
        await sign_up(connection)
    await connection.execute("set session_replication_role = origin")


async def test_user_that_no_event_announced_is_found_and_healed(connection: Connection, path: Path, log: Log) -> None:
    """After a restore that fired no trigger, the sweep announces the users and the path heals them."""
    await sign_up_unannounced(connection, 3)

    assert not await sweep(connection, log, most=100)
    await pipeline.turn(path)

    assert await count(connection, "public.profiles") == 3
    detected = await connection.fetchrow(
        "select details from public.error_logs where error_type = 'USERS_WITHOUT_PROFILE_DETECTED'"
    )
    assert detected is not None
    assert '"users": 3' in detected["details"]


async def test_sweep_announces_nobody_twice(connection: Connection, log: Log) -> None:
    """Users with an event under way are left to it."""
    await sign_up_unannounced(connection, 3)
    await sweep(connection, log, most=2)

    assert await sweep(connection, log, most=2) is False
    assert await count(connection, "pgmend.outbox") == 3
    assert await count(connection, "(select distinct user_key from pgmend.outbox) as users") == 3


async def test_sweep_leaves_erased_users_and_dead_letters_alone(connection: Connection, path: Path, log: Log) -> None:
    """Who is erased stays erased, and a dead letter waits for its person."""
    await sign_up(connection, "a@x", "x" * 121)
    await pipeline.turn(path)
    await sign_up_unannounced(connection, 1)
    await connection.execute("update public.users set deleted_at = now() where full_name is null")

    await sweep(connection, log, most=100)

    assert await count(connection, "pgmend.outbox") == 0


async def test_stop_ends_a_sweep_that_waits(database: Database, log: Log) -> None:
    """A sweep that takes long holds up no graceful stop: it is cancelled, and loses nothing."""
    blocker, watcher = await database.connect(), await database.connect()
    stop = Stop()
    async with blocker.transaction():
        await blocker.execute("lock table public.users in access exclusive mode")
        sweeping = asyncio.ensure_future(Sweeper(Target(database.url), stop, log).run())

        async def waits() -> bool:
            return await count(watcher, "pg_locks where relation = 'public.users'::regclass and not granted") == 1

        await eventually(waits)
        stop.request()
        async with asyncio.timeout(10):
            await sweeping

    assert sweeping.exception() is None


async def test_only_one_worker_sweeps_at_a_time(database: Database, connection: Connection, log: Log) -> None:
    """The second sweeper goes away at once."""
    await sign_up_unannounced(connection, 1)
    other = await database.connect()
    async with other.transaction():
        assert await profiles.lock_sweep(other)
        assert not await sweep(connection, log, most=100)

    assert await count(connection, "pgmend.outbox") == 0


@pytest.mark.parametrize(
    ("breaks", "told"),
    [
        ("select", ({"finished": 1.0}, 0)),
        ("drop view pgmend.audit_entries", ({"failed": 1.0}, 1)),
        ("drop table pgmend.orphan_counts", ({"finished": 1.0}, 1)),
    ],
)
async def test_sweep_is_counted_once(
    database: Database, connection: Connection, log: Log, breaks: str, told: tuple[dict[str, float], float]
) -> None:
    """Whole, undone at its end, and with what follows it failing: then the error alone is counted."""
    await sign_up_unannounced(connection, 1)
    await connection.execute(breaks)
    meters = Meters()
    await Sweeper(Target(database.url), Stop(), log, watch=OrphanWatch(3600, 60), meters=meters)._sweep_once()

    assert counted(meters) == told


async def test_look_between_two_sweeps_that_fails_is_no_sweep(database: Database, connection: Connection, log: Log) -> None:
    """Its error is counted, and no sweep."""
    await connection.execute("drop table pgmend.source_failures")
    meters = Meters()
    sweeper = Sweeper(Target(database.url), Stop(), log, meters=meters)
    await sweeper._in_a_session(sweeper._look)

    assert counted(meters) == ({}, 1)


def counted(meters: Meters) -> tuple[dict[str, float], float]:
    """Return how many sweeps of each outcome were counted, and how many errors."""
    return {outcome: number for (outcome,), number in meters.sweeps.values.items() if number}, sum(meters.errors.values.values())
