"""A worker killed while it says that it is awake: nobody rings, and the others have to find out by themselves."""

from tests.conftest import StartWorker
from tests.support.activity import blocked
from tests.support.database import Database, sign_up
from tests.support.proxy import Proxy
from tests.support.waiting import eventually
from tests.support.workload import healed, play_unannounced, report_order, settled
from worker.store.connection import Connection

HOUR = 3600
LEASE_IS_HELD = "select pg_sequence_last_value('pgmend.doorbell_lease') > extract(epoch from clock_timestamp()) * 1000"
RARE = {"poll_interval_seconds": HOUR, "sweep_interval_seconds": HOUR}


async def test_lease_of_a_killed_worker_runs_out_and_another_takes_its_place(
    connection: Connection, start: StartWorker, proxy: Proxy, proxied_url: str
) -> None:
    """A sign-up that did not ring, because the dead had said it was awake, is found at a heartbeat after the lease ran out."""
    other = await start(listen_url=proxied_url, heartbeat_interval_seconds=0.3, **RARE)
    await other.logged("listener_connected")
    await other.logged("sweep_finished")
    proxy.drops_notifications = True  # it sleeps through all that follows, and has its heartbeat alone
    dying = await start(linger_milliseconds=1000, **RARE)
    await dying.logged("listener_connected")
    await connection.execute("insert into public.users (full_name) select 'u' from generate_series(1, 10)")

    await dying.logged("express_batch_settled", healed=10)
    await eventually(lambda: connection.fetchval(LEASE_IS_HELD))
    await dying.kill()
    unheard = await sign_up(connection)
    assert await connection.fetchval(LEASE_IS_HELD)

    await healed(connection, unheard)


async def test_events_of_a_worker_killed_before_it_took_the_lease_are_found_by_one_that_met_their_locks(
    database: Database, connection: Connection, start: StartWorker
) -> None:
    """A worker that found an event claimed does not rely on the bell, which has rung already: its claimant may die."""
    settings = {"lock_timeout_seconds": 60, "heartbeat_interval_seconds": HOUR, **RARE}
    dying = await start(**settings)
    await dying.logged("sweep_finished")
    session = await database.connect()
    async with session.transaction():
        key = await play_unannounced(connection, "unannounced@example.org")
        await session.execute("select from public.users where id = $1 for update", key)
        await report_order(connection, key)
        await blocked(connection, "profiles/heal")
        other = await start(**settings)
        await other.logged("listener_connected")
        await dying.kill()

    await settled(connection)
