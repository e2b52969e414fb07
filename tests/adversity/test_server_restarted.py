"""The server crashes under load and comes back: the worker reconnects, and what was committed is healed exactly once."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from functools import partial

import asyncpg
import pytest

from tests.conftest import StartWorker
from tests.support.database import Database, count, create_database, drop_database, install_application, sign_up
from tests.support.outbox import dead_letters
from tests.support.waiting import eventually
from tests.support.workload import broken_promises, make_admin, no_grace, play_whole, settled
from worker import embedded
from worker.errors import ServerUnreachableError
from worker.store.connection import LOST, Connection

WRITERS = 4
CRASHES = 3

CRASH = """
    create function public.crash() returns trigger language plpgsql as
    $$ begin execute format('copy (select 1) to program %L', 'kill -9 ' || pg_backend_pid()); return new; end $$;
    create trigger crash before insert on public.orders for each row when (new.amount = 13) execute function public.crash()
"""


@pytest.fixture(scope="module")
def fragile_cluster(cluster: embedded.Cluster) -> Iterator[embedded.Cluster]:
    """A server of this module's own, which keeps what it has committed when it crashes."""
    with embedded.start(cluster.binaries, durable=True) as running:
        yield running


@pytest.fixture
async def fragile_database(fragile_cluster: embedded.Cluster) -> AsyncIterator[Database]:
    """A database with the sample application on that server."""
    database = await create_database(fragile_cluster)
    connection = await database.connect()
    await install_application(connection)
    await no_grace(connection)
    await make_admin(connection)
    yield database
    await drop_database(database)


async def test_crashes_under_load_lose_nothing_and_repeat_nothing(fragile_database: Database, start: StartWorker) -> None:
    """Every sign-up, order and lead whose commit was reported is whole in the end, and the worker is still the same process."""
    worker = await start(url=fragile_database.url)
    await worker.logged("listener_connected")
    over = asyncio.Event()
    writers = [asyncio.create_task(_write_until(over, fragile_database, number)) for number in range(WRITERS)]
    for users in range(50, 50 * (CRASHES + 1), 50):
        await eventually(partial(_has_users, fragile_database, users))
        fragile_database.cluster.restart("immediate")
    over.set()
    reported = sum(await asyncio.gather(*writers))

    connection = await fragile_database.connect()
    await settled(connection)
    await _give_up_half_played_users(connection)
    assert await broken_promises(connection) == []
    assert await count(connection, "public.users where email like 'whole-%'") >= reported > 0
    assert worker.process.returncode is None
    await worker.logged("connection_lost", role="consumer")


async def test_outage_that_lasts_is_waited_for(fragile_database: Database, start: StartWorker) -> None:
    """While the server is down the worker tries again and again; when it is back, what was left over is healed."""
    worker = await start(url=fragile_database.url)
    await worker.logged("listener_connected")
    connection = await fragile_database.connect()
    await play_whole(connection, "whole-1@example.org")

    fragile_database.cluster.halt("immediate")
    await worker.logged("connection_failed", attempt=2)
    fragile_database.cluster.launch()

    connection = await fragile_database.connect()
    await settled(connection)
    assert await broken_promises(connection) == []


async def test_row_that_crashes_the_server_is_set_aside(fragile_database: Database, start: StartWorker) -> None:
    """A row under which the server goes down does not take it down without end, and the rows beside it are stored."""
    connection = await fragile_database.connect()
    await connection.execute(CRASH)
    for amount in (1, 13, 2):
        row = json.dumps({"user_id": await sign_up(connection), "amount": amount})
        await connection.execute("select pgmend.report_failed_insert('public.orders', $1)", row)

    await start(url=fragile_database.url, first_retry_delay_seconds=0.01)
    await eventually(partial(_has_dead_letter, fragile_database), within=60)

    connection = await fragile_database.connect()
    assert await dead_letters(connection) == [("refused", "PM013")]
    assert await count(connection, "public.orders") == 2


async def _write_until(over: asyncio.Event, database: Database, number: int) -> int:
    """Play users who order, through every crash; return how many were played to their end."""
    reported = 0
    while not over.is_set():
        with suppress(ServerUnreachableError, *LOST):
            connection = await database.connect()
            while not over.is_set():
                await play_whole(connection, f"whole-{number}@example.org")
                reported += 1
    return reported


async def _has_users(database: Database, number: int) -> bool:
    with suppress(ServerUnreachableError, asyncpg.PostgresError, *LOST):
        connection = await asyncpg.connect(database.url)
        try:
            return int(await connection.fetchval("select count(*) from public.users")) >= number
        finally:
            await connection.close()
    return False


async def _has_dead_letter(database: Database) -> bool:
    with suppress(ServerUnreachableError, asyncpg.PostgresError, *LOST):
        return await count(await database.connect(), "pgmend.dead_letters") > 0
    return False


async def _give_up_half_played_users(connection: Connection) -> None:
    """Rename users whose writer was cut off between their sign-up and their last insert: nobody has promised them anything."""
    await connection.execute(
        """
        update public.users as u set email = 'half-' || email
        where not exists (select from public.orders as o where o.user_id = u.id)
            or not exists (select from public.leads as l where l.user_id = u.id)
        """
    )
