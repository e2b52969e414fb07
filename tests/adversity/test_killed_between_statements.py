"""kill -9 between any two statements of the path: every event's effect is there exactly once."""

import asyncio
import itertools
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from tests.conftest import StartWorker
from tests.support.database import Database, count, create_database, drop_database
from tests.support.process import WorkerProcess
from tests.support.waiting import eventually
from tests.support.workload import broken_promises, make_admin, no_grace, play
from worker import embedded, pipeline
from worker.log import Log
from worker.pipeline import Path
from worker.store.connection import Connection, Target, connect
from worker.sweeping import sweep

AT_ONCE = 3
STATEMENTS_AT_LEAST = 40


@dataclass(frozen=True, slots=True)
class Story:
    """What is the same for every death: the database it begins with, and how."""

    played: Database
    start: StartWorker
    log: Log
    when: str
    admin_comes: str


@pytest.fixture
async def played(cluster: embedded.Cluster, template: str) -> AsyncIterator[Database]:
    """A database in which everything has happened, and no worker has worked: the pattern for each death."""
    database = await create_database(cluster, template)
    connection = await connect(Target(database.url))
    await no_grace(connection)
    await play(connection)
    await connection.close()
    yield database
    await drop_database(database)


@pytest.mark.parametrize(("when", "admin_comes"), [("before", "late"), ("sent", "early")])
async def test_worker_killed_at_any_statement_leaves_every_effect_exactly_once(
    played: Database, start: StartWorker, log: Log, when: str, admin_comes: str
) -> None:
    """Wherever the worker dies, the next one completes what was open and repeats nothing that was done."""
    story = Story(played, start, log, when, admin_comes)
    numbers = itertools.count(1)

    async def die_again_and_again() -> int:
        while await _dies_at(number := next(numbers), story):
            pass
        return number

    async with asyncio.TaskGroup() as group:
        lanes = [group.create_task(die_again_and_again()) for _ in range(AT_ONCE)]

    assert min(lane.result() for lane in lanes) > STATEMENTS_AT_LEAST


async def _dies_at(number: int, story: Story) -> bool:
    """Let a worker die at that statement and another one finish; return whether there was such a statement."""
    database = await create_database(story.played.cluster, story.played.name)
    connection = await database.connect()
    if story.admin_comes == "early":
        await make_admin(connection)
    status = await _work_until_death_or_rest(await _start_dying(number, story, database), connection)
    if story.admin_comes == "late":
        await make_admin(connection)
    await _finish(Path(await database.connect(), story.log))
    assert await broken_promises(connection) == [], f"after a death {story.when} statement {number}"
    await drop_database(database)
    return status != 0


async def _start_dying(number: int, story: Story, database: Database) -> WorkerProcess:
    command = (sys.executable, "-m", "tests.support.dying_worker", str(number), story.when)
    hour = 3600
    return await story.start(
        *command,
        url=database.url,
        poll_interval_seconds=hour,
        sweep_interval_seconds=hour,
        heartbeat_interval_seconds=hour,
    )


async def _work_until_death_or_rest(worker: WorkerProcess, connection: Connection) -> int:
    """Wait until the worker is dead, or has nothing left to do and ends in order; return its exit status."""

    async def is_over() -> bool:
        due = await count(connection, "pgmend.outbox where waiting_for is null")
        swept = any(line["event"] == "sweep_finished" for line in worker.lines)
        return worker.process.returncode is not None or (swept and not due)

    await eventually(is_over)
    worker.send(signal.SIGTERM)
    status = await worker.ended()
    assert status in {0, -signal.SIGKILL}, worker.stderr
    return status


async def _finish(path: Path) -> None:
    """Be the healthy worker that comes after."""
    await sweep(path.connection, path.log, most=1000)

    async def is_settled() -> bool:
        await pipeline.turn(path)
        return not await count(path.connection, "pgmend.outbox")

    await eventually(is_settled)
