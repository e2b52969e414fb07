"""Users who are deleted meanwhile, softly or for good: never resurrected, and nothing of theirs is kept."""

import asyncio

import pytest

from tests.conftest import StartWorker
from tests.support.activity import blocked, lock_table
from tests.support.database import Database, count, sign_up
from tests.support.waiting import eventually
from tests.support.workload import healed, no_grace, park_order, play_unannounced, report_order, settled
from worker import pipeline
from worker.pipeline import Path
from worker.store.connection import Connection

HOUR = 3600
SOFTLY = "update public.users set deleted_at = now() where id = $1"
FOR_GOOD = "delete from public.users where id = $1"
DROPPED = "public.error_logs where error_type = 'ERASED_USER_EVENT_DROPPED' and user_id = $1"

erasures = pytest.mark.parametrize("erase", [SOFTLY, FOR_GOOD], ids=["softly", "for-good"])


@erasures
async def test_user_erased_before_healing_leaves_nothing_but_audit_entries(
    connection: Connection, start: StartWorker, erase: str
) -> None:
    """Both events are dropped, the captured row with its payload as well, and each has its entry without a personal value."""
    key = await sign_up(connection)
    assert await park_order(connection, key) == "parked"
    await _erase(connection, erase, key)

    await start(poll_interval_seconds=HOUR)
    await settled(connection)

    assert await count(connection, "public.profiles") == 0
    assert await count(connection, "pgmend.dead_letters") == 0
    assert await count(connection, DROPPED, key) == 2
    assert await count(connection, "public.error_logs as entry where entry::text like '%ada@%'") == 0


@erasures
async def test_erasure_under_way_is_waited_for_and_wins(
    database: Database, connection: Connection, start: StartWorker, erase: str
) -> None:
    """The worker waits on the row that is being erased, and finds after the commit that there is nobody to heal."""
    key = await sign_up(connection)
    session = await database.connect()
    async with session.transaction():
        await _erase(session, erase, key)
        await start(poll_interval_seconds=HOUR)
        await blocked(connection, "profiles/heal")

    await settled(connection)
    assert await count(connection, "public.profiles") == 0
    assert await count(connection, DROPPED, key) == 1


@erasures
async def test_erasure_that_is_taken_back_delays_healing_and_no_more(
    database: Database, connection: Connection, start: StartWorker, erase: str
) -> None:
    """A rolled back erasure leaves a user who is healed."""
    key = await sign_up(connection)
    session = await database.connect()
    transaction = session.transaction()
    await transaction.start()
    await _erase(session, erase, key)
    await start(poll_interval_seconds=HOUR)
    await blocked(connection, "profiles/heal")

    await transaction.rollback()

    await healed(connection, key)


@erasures
async def test_erasure_waits_for_a_healing_under_way_and_then_removes_what_it_made(
    database: Database, connection: Connection, start: StartWorker, erase: str
) -> None:
    """A user cannot be erased between our look and our commit: the erasure comes after, and sees the profile."""
    worker = await start(poll_interval_seconds=HOUR, lock_timeout_seconds=20)
    await worker.logged("sweep_finished")
    lock = await lock_table(await database.connect(), "public.orders", "share")
    key = await play_unannounced(connection, "unannounced@example.org")
    await report_order(connection, key)
    await blocked(connection, "replays/replay")

    erasing = asyncio.create_task(_erase(await database.connect(), erase, key))
    await eventually(lambda: _waits_for_the_user(connection))
    await lock.rollback()
    await erasing

    await settled(connection)
    assert await count(connection, "public.profiles") == 0
    assert await count(connection, "public.orders") == 0


@pytest.mark.parametrize("lane", ["careful", "express"])
async def test_pending_sign_up_tells_that_the_user_was_no_stranger(
    database: Database, connection: Connection, path: Path, lane: str
) -> None:
    """An order captured before its sign-up committed is dropped as erased, in whichever lane the sign-up's event waits."""
    await no_grace(connection)
    key = str(await connection.fetchval("select gen_random_uuid()"))
    await park_order(connection, key)
    await connection.execute("insert into public.users (id) values ($1)", key)
    await _erase(connection, FOR_GOOD, key)
    another = await database.connect()
    async with another.transaction():
        if lane == "express":  # another worker holds it, or has a long way to go until it comes to it
            await another.execute("select from pgmend.express_events for update")

        await pipeline.turn(path)

    assert await count(connection, "pgmend.dead_letters") == 0
    assert await count(connection, f"{DROPPED} and details ->> 'kind' = 'insert_failed'", key) == 1


async def _erase(session: Connection, erase: str, key: str) -> None:
    """Erase as an application does: the user first, then the profile, in one transaction."""
    async with session.transaction():
        await session.execute(erase, key)
        await session.execute("delete from public.profiles where id = $1", key)


async def _waits_for_the_user(connection: Connection) -> int:
    waiting = "wait_event_type = 'Lock' and query ~ '^(update|delete from) public.users'"
    return await count(connection, f"pg_stat_activity where datname = current_database() and {waiting}")
