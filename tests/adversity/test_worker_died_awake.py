"""A worker killed while it says that it is awake: nobody rings, and the others have to find out by themselves."""

from tests.conftest import StartWorker
from tests.support.activity import CONSUMER, asleep, blocked, terminate
from tests.support.database import Database, count, sign_up
from tests.support.proxy import Proxy
from tests.support.waiting import eventually
from tests.support.workload import healed, play_unannounced, report_order, settled
from worker.store.connection import Connection

HOUR = 3600
LEASE_IS_HELD = "select pg_sequence_last_value('pgmend.doorbell_lease') > extract(epoch from clock_timestamp()) * 1000"
AUDIT_WAITS = """
    create function public.wait_for_one() returns trigger language plpgsql as $$
    begin
        perform pg_advisory_xact_lock(1);
        return new;
    end $$;
    create trigger wait_for_one before insert on public.error_logs for each row execute function public.wait_for_one()
"""
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


async def test_sign_ups_of_a_worker_killed_before_it_took_the_lease_are_found_by_one_that_met_their_locks(
    database: Database, connection: Connection, start: StartWorker
) -> None:
    """A worker that found events claimed does not rely on the bell, which has rung already: their claimant may die."""
    settings = {"heartbeat_interval_seconds": HOUR, **RARE}
    key = await sign_up(connection)
    await connection.execute(AUDIT_WAITS)
    session = await database.connect()
    await session.execute("select pg_advisory_lock(1)")
    dying = await start(**settings)
    backend = await blocked(connection, "outbox/express")
    await start(**settings)
    await _two_are_at_work(connection)

    await dying.kill()
    await terminate(connection, backend)
    await session.execute("select pg_advisory_unlock(1)")

    await healed(connection, key)


async def test_captured_insert_of_a_killed_worker_is_found_by_one_that_met_its_lock(
    database: Database, connection: Connection, start: StartWorker
) -> None:
    """The same holds for an event of the careful lane."""
    settings = {"lock_timeout_seconds": 60, "heartbeat_interval_seconds": HOUR, **RARE}
    dying = await start(**settings)
    await dying.logged("sweep_finished")
    session = await database.connect()
    async with session.transaction():
        key = await play_unannounced(connection, "unannounced@example.org")
        await session.execute("select from public.users where id = $1 for update", key)
        await report_order(connection, key)
        await blocked(connection, "profiles/heal")
        await start(**settings)
        await _two_are_at_work(connection)
        await dying.kill()

    await settled(connection)


async def _two_are_at_work(connection: Connection) -> None:
    """Wait until the second worker has begun to listen, and has looked at the outbox."""

    async def are_seen() -> bool:
        return await count(connection, "pgmend.workers") == 2

    await eventually(are_seen)
    await asleep(connection, CONSUMER)
