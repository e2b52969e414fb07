"""Notifications that do not arrive: behind a transaction pooler none ever does, and on a bad day one is lost."""

from tests.conftest import StartWorker
from tests.support.activity import LISTENER, asleep, terminate
from tests.support.database import sign_up
from tests.support.proxy import Proxy
from tests.support.waiting import eventually
from tests.support.workload import healed
from worker.store.connection import Connection

HOUR = 3600


async def test_worker_that_cannot_hear_says_so_once_and_polls(
    connection: Connection, start: StartWorker, proxy: Proxy, proxied_url: str
) -> None:
    """Where LISTEN seems to work and nothing arrives, the probe finds out, one line says it, and polling heals."""
    proxy.drops_notifications = True
    worker = await start(
        url=proxied_url, poll_interval_seconds=HOUR, deaf_poll_interval_seconds=0.2, heartbeat_timeout_seconds=0.5
    )
    await worker.logged("listen_unavailable")
    await healed(connection, await sign_up(connection))

    first = await asleep(connection, LISTENER)
    await terminate(connection, first)
    await eventually(lambda: _other_listener(connection, first))

    await healed(connection, await sign_up(connection))
    assert [line["event"] for line in worker.lines].count("listen_unavailable") == 1


async def test_lost_notification_is_made_up_for_by_the_poll(
    connection: Connection, start: StartWorker, proxy: Proxy, proxied_url: str
) -> None:
    """A ring that gets lost on a connection that hears costs at most one poll interval."""
    worker = await start(url=proxied_url, poll_interval_seconds=1, heartbeat_interval_seconds=HOUR)
    await worker.logged("listener_connected")
    proxy.drops_notifications = True

    await healed(connection, await sign_up(connection))

    assert proxy.dropped > 0


async def _other_listener(connection: Connection, first: int) -> bool:
    return await asleep(connection, LISTENER) != first
