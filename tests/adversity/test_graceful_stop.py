"""The stop: what is in flight is finished, nothing is half done, and a second signal or the grace period ends it."""

import signal

from tests.conftest import StartWorker
from tests.support.activity import blocked, lock_table
from tests.support.database import Database, count, sign_up
from tests.support.waiting import eventually
from tests.support.workload import broken_promises, healed, make_admin, no_grace, play, settled
from worker.store.connection import Connection

HALF_DONE = """
    pgmend.outbox join public.error_logs using (event_id)
    where error_type in ('MISSING_PROFILE_CREATED', 'INSERT_REPLAYED', 'CONVERSATION_RETRIED', 'EVENT_DEAD_LETTERED')
"""


async def test_sigterm_under_load_finishes_the_batch_and_leaves_nothing_half_done(
    connection: Connection, start: StartWorker
) -> None:
    """The worker exits with 0 and leaves word of it; events are settled whole or untouched, and the next one goes on."""
    await no_grace(connection)
    await make_admin(connection)
    await play(connection, rounds=60)
    worker = await start(express_batch_size=10, careful_batch_size=5)

    await worker.logged("express_batch_settled", claimed=10)
    worker.send(signal.SIGTERM)

    assert await worker.ended() == 0
    assert await count(connection, "pgmend.workers where stopped_at is null") == 0
    assert await count(connection, "pgmend.outbox") > 0
    assert await count(connection, HALF_DONE) == 0
    await start()
    await settled(connection)
    assert await broken_promises(connection) == []


async def test_sigterm_while_the_worker_lingers_stops_it_before_the_grace_period_ends(
    connection: Connection, start: StartWorker
) -> None:
    """A worker that has settled a burst and waits a moment for more stops at once, and clears nothing it does not hold."""
    worker = await start(linger_milliseconds=1000, poll_interval_seconds=3600)
    await worker.logged("listener_connected")
    await connection.execute("insert into public.users (email) select 'a@example.org' from generate_series(1, 10)")

    await worker.logged("express_batch_settled")
    worker.send(signal.SIGTERM)

    assert await worker.ended() == 0


async def test_second_sigterm_ends_a_worker_that_hangs_at_once(
    database: Database, connection: Connection, start: StartWorker
) -> None:
    """While the first SIGTERM waits for a statement that waits for a lock, the second exits with 143."""
    await sign_up(connection)
    lock = await lock_table(connection, "pgmend.outbox")
    worker = await start()
    await blocked(await database.connect(), "outbox/express")

    worker.send(signal.SIGTERM)
    await worker.logged("worker_stopping")

    async def ends_when_told_again() -> bool:
        worker.send(signal.SIGTERM)
        return worker.process.returncode is not None

    await eventually(ends_when_told_again)
    assert await worker.ended() == 143
    await lock.rollback()


async def test_signal_that_follows_at_once_is_the_same_request(connection: Connection, start: StartWorker) -> None:
    """Whoever signals the process and its group, as timeout(1) does, gets the graceful stop all the same."""
    worker = await start()
    await worker.logged("listener_connected")

    worker.send(signal.SIGTERM)
    worker.send(signal.SIGINT)

    assert await worker.ended() == 0
    assert await count(connection, "pgmend.workers where stopped_at is null") == 0


async def test_grace_period_exceeded_exits_with_20_and_loses_nothing(
    database: Database, connection: Connection, start: StartWorker
) -> None:
    """A stop that takes too long is given up with one line that says so; the event waits for the next worker."""
    key = await sign_up(connection)
    lock = await lock_table(connection, "pgmend.outbox")
    worker = await start(grace_period_seconds=0.5)
    await blocked(await database.connect(), "outbox/express")

    worker.send(signal.SIGTERM)

    assert await worker.ended() == 20
    assert worker.stderr.startswith(b"pgmend: the graceful stop took too long")
    assert len(worker.stderr.splitlines()) == 1
    await lock.rollback()
    await start()
    await healed(connection, key)
