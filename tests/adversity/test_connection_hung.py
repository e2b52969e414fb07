"""The network hangs, breaks, or breaks in the middle of a handshake: the worker notices, reconnects, and loses nothing."""

import signal

from tests.conftest import StartWorker
from tests.support.activity import blocked, lock_table
from tests.support.database import Database, count, sign_up
from tests.support.proxy import Proxy
from tests.support.waiting import eventually
from tests.support.workload import healed, play_unannounced, report_order, settled
from worker.store.connection import Connection

IMPATIENT = {
    "poll_interval_seconds": 3600,
    "sweep_interval_seconds": 3600,
    "heartbeat_interval_seconds": 0.2,
    "heartbeat_timeout_seconds": 0.5,
    "statement_timeout_seconds": 1,
    "connect_timeout_seconds": 1,
}


async def test_hung_connection_is_noticed_by_the_heartbeat_and_replaced(
    connection: Connection, start: StartWorker, proxy: Proxy, proxied_url: str
) -> None:
    """No socket is closed and no error arrives: the heartbeat that does not come back tells, and the outbox is looked at anew."""
    worker = await start(url=proxied_url, **IMPATIENT)
    await worker.logged("listener_connected")

    proxy.blackhole()
    unheard = await sign_up(connection)
    await worker.logged("connection_lost", role="listener")
    proxy.flow()

    await healed(connection, unheard)
    await healed(connection, await sign_up(connection))


async def test_connection_that_hangs_in_the_middle_of_a_heartbeat_is_noticed_as_well(
    database: Database, connection: Connection, start: StartWorker, proxy: Proxy, proxied_url: str
) -> None:
    """Each statement of the heartbeat has the heartbeat's timeout, not that of a statement that works."""
    lock = await lock_table(await database.connect(), "pgmend.workers")
    worker = await start(url=proxied_url, **(IMPATIENT | {"statement_timeout_seconds": 60}))
    await blocked(connection, "workers/seen")

    proxy.blackhole()

    await worker.logged("connection_lost", role="listener")
    await lock.rollback()


async def test_sigterm_while_the_server_is_out_of_reach_ends_the_worker_before_the_grace_period(
    start: StartWorker, proxy: Proxy, proxied_url: str
) -> None:
    """A worker that has nothing but a connection to wait for gives that up and exits with 0."""
    worker = await start(url=proxied_url, **IMPATIENT)
    await worker.logged("listener_connected")
    proxy.cuts_new_connections = True
    proxy.cut()
    await worker.logged("connection_failed")

    worker.send(signal.SIGTERM)

    assert await worker.ended() == 0


async def test_cut_connections_are_replaced(connection: Connection, start: StartWorker, proxy: Proxy, proxied_url: str) -> None:
    """All connections break at once: the worker connects again and heals what rang in between."""
    worker = await start(url=proxied_url, **IMPATIENT)
    await worker.logged("listener_connected")

    proxy.cut()

    await healed(connection, await sign_up(connection))
    await worker.logged("connection_lost", role="listener")


async def test_connection_that_breaks_in_its_handshake_is_tried_again(
    connection: Connection, start: StartWorker, proxy: Proxy, proxied_url: str
) -> None:
    """A server that goes away while the worker is connecting is out of reach, not a reason to give up."""
    worker = await start(url=proxied_url, **IMPATIENT)
    await worker.logged("listener_connected")

    proxy.cuts_new_connections = True
    proxy.cut()
    await eventually(lambda: _is_past(proxy, 3))
    proxy.cuts_new_connections = False

    await healed(connection, await sign_up(connection))
    assert worker.process.returncode is None


async def test_claims_of_a_worker_that_vanished_from_the_network_are_given_up(
    database: Database, connection: Connection, start: StartWorker, proxy: Proxy, proxied_url: str
) -> None:
    """A claim whose worker hangs behind a dead network does not lock its event for hours: another worker heals it."""
    vanishing = await start(url=proxied_url, lock_timeout_seconds=60, **IMPATIENT)
    await vanishing.logged("sweep_finished")
    blocker = await database.connect()
    lock = await lock_table(blocker, "public.orders", "share")
    key = await play_unannounced(connection, "unannounced@example.org")
    await report_order(connection, key)
    await blocked(connection, "replays/replay")

    proxy.blackhole()
    await lock.rollback()
    await start(poll_interval_seconds=0.5)

    await healed(connection, key)
    await settled(connection)
    assert await count(connection, "public.orders") == 1


async def _is_past(proxy: Proxy, handshakes: int) -> bool:
    return proxy.cut_handshakes >= handshakes
