"""An administrator ends or cancels what a worker's connection does: the worker lives on, and nothing is lost."""

import pytest

from tests.conftest import StartWorker
from tests.support.activity import CONSUMER, LISTENER, asleep, blocked, lock_table, terminate
from tests.support.database import Database, count, sign_up
from tests.support.process import WorkerProcess
from tests.support.proxy import Proxy
from tests.support.waiting import eventually
from tests.support.workload import healed, play_unannounced
from worker.store.connection import Connection

HOUR = 3600

WAITS = {
    "listener": ("workers/seen", "pgmend.workers"),
    "consumer": ("outbox/express", "pgmend.express_events"),
    "sweeper": ("profiles/sweep", "pgmend.dead_letters"),
}
"""What each role of a worker runs, and the table whose lock makes it wait there."""


async def test_terminated_listener_listens_again_and_misses_no_sign_up(connection: Connection, start: StartWorker) -> None:
    """The listener reconnects, and looks at the outbox for what rang while it was away."""
    worker = await start(poll_interval_seconds=HOUR, heartbeat_interval_seconds=HOUR)
    await worker.logged("listener_connected")

    await terminate(connection, await asleep(connection, LISTENER))
    missed = await sign_up(connection)

    await worker.logged("connection_lost", role="listener")
    await healed(connection, missed)
    await _hears_again(worker)
    await healed(connection, await sign_up(connection))


async def test_terminated_consumer_connects_again_and_heals(connection: Connection, start: StartWorker) -> None:
    """A consumer whose connection went while it slept notices at the next ring, and heals what rang."""
    worker = await start(poll_interval_seconds=HOUR)
    await healed(connection, await sign_up(connection))

    await terminate(connection, await asleep(connection, CONSUMER))

    await healed(connection, await sign_up(connection))
    await worker.logged("connection_lost", role="consumer")


async def test_farewell_that_comes_before_the_end_of_the_connection_is_understood(
    connection: Connection, start: StartWorker, proxy: Proxy, proxied_url: str
) -> None:
    """A statement sent between the server's last words and the closing of the socket fails in its own way: reconnect."""
    worker = await start(url=proxied_url, poll_interval_seconds=HOUR, statement_timeout_seconds=2)
    await worker.logged("listener_connected")
    await healed(connection, await sign_up(connection))
    consumer = await asleep(connection, CONSUMER)

    proxy.hides_closing = True
    await terminate(connection, consumer)

    await healed(connection, await sign_up(connection))


@pytest.mark.parametrize("role", WAITS)
@pytest.mark.parametrize("end", ["pg_terminate_backend", "pg_cancel_backend"])
async def test_statement_ended_by_an_administrator_is_run_again(
    database: Database, connection: Connection, start: StartWorker, role: str, end: str
) -> None:
    """Whichever role is ended in the middle of its statement, the worker goes on and every user is healed."""
    statement, table = WAITS[role]
    unannounced = await play_unannounced(connection, "unannounced@example.org")
    lock = await lock_table(await database.connect(), table)
    worker = await start(poll_interval_seconds=HOUR, heartbeat_interval_seconds=0.2, sweep_interval_seconds=0.2)

    await connection.execute(f"select {end}($1)", await blocked(connection, statement))
    await eventually(worker.has_warned)
    await lock.rollback()

    await healed(connection, unannounced)
    await healed(connection, await sign_up(connection))
    assert worker.process.returncode is None
    await eventually(lambda: count(connection, "pgmend.workers"))


async def _hears_again(worker: WorkerProcess) -> None:
    async def has_connected_twice() -> bool:
        return [line["event"] for line in worker.lines].count("listener_connected") == 2

    await eventually(has_connected_twice)
