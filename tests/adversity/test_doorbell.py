"""The doorbell: polls, sweeps and heartbeats an hour apart, and still no event waits. It takes the second look for that."""

import asyncio
import signal
import sys
from typing import Literal

import pytest

from tests.conftest import StartWorker
from tests.support.activity import asleep, terminate
from tests.support.database import Database, count, sign_up
from tests.support.process import WorkerProcess
from tests.support.proxy import Proxy
from tests.support.waiting import eventually
from tests.support.workload import healed
from worker.store.connection import Connection

DEADLINE = 10.0
HASTY = (sys.executable, "-m", "tests.support.hasty_worker")
BELL_ALONE = {"poll_interval_seconds": 3600, "sweep_interval_seconds": 3600, "heartbeat_interval_seconds": 3600}
ISOLATIONS: tuple[Literal["read_committed", "repeatable_read"], ...] = ("read_committed", "repeatable_read")
WRITERS = 8
LEASE_IS_CLEARED = "select last_value <= 1000000000000 from pgmend.doorbell_lease"
TRANSACTIONS = 60
WAVES = 5


@pytest.fixture
async def writer(database: Database) -> Connection:
    """An application's connection beside the first."""
    return await database.connect()


@pytest.fixture
async def deaf(start: StartWorker, proxy: Proxy, proxied_url: str) -> WorkerProcess:
    """A worker that no ring reaches: it has its heartbeat alone."""
    worker = await start(listen_url=proxied_url, **{**BELL_ALONE, "heartbeat_interval_seconds": 0.3})
    await worker.logged("listener_connected")
    await worker.logged("sweep_finished")
    proxy.drops_notifications = True
    return worker


async def test_event_of_a_writer_that_read_the_lease_and_commits_late_is_healed(
    database: Database, connection: Connection, start: StartWorker
) -> None:
    """The writer did not ring, because a worker said it was awake; the worker looks until that writer has ended."""
    worker = await _start(start)

    late = await _commit_after_the_lease_is_cleared(database, connection, worker)

    await healed(connection, late, within=DEADLINE)


async def test_event_of_the_youngest_writer_is_healed_as_well(
    database: Database, connection: Connection, start: StartWorker
) -> None:
    """A writer who read the lease just before it was cleared, and after whom no transaction has ended, is waited for too."""
    worker = await start(linger_milliseconds=500, **BELL_ALONE)
    await worker.logged("sweep_finished")
    writer = await database.connect()
    async with writer.transaction():
        await _make_busy(connection, worker)
        late = await sign_up(writer)
        await eventually(lambda: connection.fetchval(LEASE_IS_CLEARED))
        await asleep(connection, ["outbox/observe"])

    await healed(connection, late, within=DEADLINE)


async def test_without_the_second_look_that_event_waits(database: Database, connection: Connection, start: StartWorker) -> None:
    """The test above can fail: a worker that drains once after it has cleared the lease sleeps through the commit."""
    worker = await _start(start, *HASTY)

    late = await _commit_after_the_lease_is_cleared(database, connection, worker)

    with pytest.raises(AssertionError, match="still 0"):
        await healed(connection, late, within=2)
    await connection.execute("select pg_notify('pgmend', '')")
    await healed(connection, late)


@pytest.mark.parametrize("end", ["stopped", "killed", "terminated"])
async def test_look_that_is_cut_short_is_taken_up_by_another_worker(
    connection: Connection, start: StartWorker, deaf: WorkerProcess, writer: Connection, end: str
) -> None:
    """The writer relied on a worker that ends before the writer does: a heartbeat sees that nobody waits any more, and does."""
    worker = await _start(start)
    async with writer.transaction():
        late = await _sign_up_relying_on(connection, writer, worker)
        pid = await connection.fetchval("select last_value from pgmend.doorbell_lease")
        match end:
            case "stopped":
                worker.send(signal.SIGTERM)
                await worker.ended()
            case "killed":
                await worker.kill()
            case _:
                await terminate(connection, pid)
        await eventually(lambda: _has_another_in_charge(connection, pid))

    await healed(connection, late, within=DEADLINE)
    assert deaf.process.returncode is None


async def test_no_event_waits_under_concurrent_writers_of_every_kind(
    database: Database, connection: Connection, start: StartWorker
) -> None:
    """Short and long transactions, read committed and repeatable read: after the last commit all are healed in no time."""
    await _start(start)

    async with asyncio.TaskGroup() as group:
        for number in range(WRITERS):
            group.create_task(_write(await database.connect(), number))

    await eventually(lambda: _all_healed(connection), within=DEADLINE)
    assert await count(connection, "public.users") == WRITERS * TRANSACTIONS


async def test_no_event_waits_when_a_storm_calms_down(database: Database, connection: Connection, start: StartWorker) -> None:
    """Writers who insert while a worker is busy and commit when it sleeps are not forgotten, wave after wave."""
    await _start(start)
    writers = [await database.connect() for _ in range(WRITERS)]

    for _ in range(WAVES):
        await _play_wave(writers, connection)
        await eventually(lambda: _all_healed(connection), within=DEADLINE)


async def test_without_the_second_look_the_same_storm_leaves_events_waiting(
    database: Database, connection: Connection, start: StartWorker
) -> None:
    """The test above can fail as well: sooner or later a wave ends with a commit that nobody hears."""
    await _start(start, *HASTY)
    writers = [await database.connect() for _ in range(WRITERS)]

    with pytest.raises(AssertionError, match="still False"):  # noqa: PT012 - which wave it is, is left to chance
        for _ in range(10 * WAVES):
            await _play_wave(writers, connection)
            await eventually(lambda: _all_healed(connection), within=1)


async def _start(start: StartWorker, *command: str) -> WorkerProcess:
    worker = await start(*command, **BELL_ALONE)
    await worker.logged("listener_connected")
    await worker.logged("sweep_finished")
    return worker


async def _commit_after_the_lease_is_cleared(database: Database, connection: Connection, worker: WorkerProcess) -> str:
    """Sign up while the lease is held, commit when it is cleared and the worker has drained since; return the key."""
    writer = await database.connect()
    async with writer.transaction():
        late = await _sign_up_relying_on(connection, writer, worker)
        await asleep(connection, ["outbox/observe"])  # the last statement of a drain
    return late


async def _sign_up_relying_on(connection: Connection, writer: Connection, worker: WorkerProcess) -> str:
    """Sign up while the lease is held, and wait until the worker has cleared it; return the key."""
    await connection.execute("select setval('pgmend.doorbell_lease', 4102444800000)")  # awake until 2100
    late = await sign_up(writer)
    await _make_busy(connection, worker)
    await eventually(lambda: connection.fetchval(LEASE_IS_CLEARED))
    return late


async def _has_another_in_charge(connection: Connection, gone: int) -> bool:
    """Whether a worker other than the one that is gone waits for who relied on a lease."""
    said = await connection.fetchval("select last_value from pgmend.doorbell_lease")
    return said not in (0, gone)


async def _make_busy(connection: Connection, worker: WorkerProcess) -> None:
    """Have the worker settle a burst, so that it takes the lease."""
    settled = len(worker.lines)
    await connection.execute("insert into public.users (email) select 'a@example.org' from generate_series(1, 10)")
    await connection.execute("select pg_notify('pgmend', '')")

    async def is_busy() -> bool:
        return any(line["event"] == "express_batch_settled" for line in worker.lines[settled:])

    await eventually(is_busy)


async def _write(writer: Connection, number: int) -> None:
    """Sign up one user after the other, in transactions of the kind that belongs to the number."""
    isolation = ISOLATIONS[number % 2]
    round_trips = 25 if number % 4 > 1 else 0
    for _ in range(TRANSACTIONS):
        async with writer.transaction(isolation=isolation):
            await sign_up(writer)
            for _ in range(round_trips):
                await writer.execute("select")


async def _play_wave(writers: list[Connection], connection: Connection) -> None:
    """Short transactions in plenty, and long ones that insert among them and commit when the worker has cleared its lease."""
    calm = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for number, writer in enumerate(writers[WRITERS // 2 :]):
            group.create_task(_write_until(calm, writer, number))
        async with asyncio.TaskGroup() as short:
            for writer in writers[: WRITERS // 2]:
                short.create_task(_write_bursts(writer))
        await eventually(lambda: connection.fetchval(LEASE_IS_CLEARED))
        calm.set()


async def _write_until(calm: asyncio.Event, writer: Connection, number: int) -> None:
    async with writer.transaction(isolation=ISOLATIONS[number % 2]):
        for _ in range(number * 5):
            await writer.execute("select")
        await sign_up(writer)
        await calm.wait()


async def _write_bursts(writer: Connection) -> None:
    for _ in range(10):
        await writer.execute("insert into public.users (email) select 'a@example.org' from generate_series(1, 5)")


async def _all_healed(connection: Connection) -> bool:
    return not await count(connection, "public.users where not exists (select from profiles where profiles.id = users.id)")
