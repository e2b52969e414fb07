"""kill -9 between any two statements of a repair or a restore: whoever goes on comes to the same end."""

import asyncio
import itertools
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial

import pytest

from tests.support.database import Database, count, create_database, drop_database
from tests.support.dying_herd import Herd, herd
from tests.support.orphan_shapes import SCHEMA, Rows, fill, make_people
from tests.support.shop_of_orphans import checksums, planned, repaired, restored, settled
from tests.support.waiting import eventually
from worker import embedded
from worker.repair_run import Pacing, RepairRun
from worker.store import repairs
from worker.store.connection import Connection, Target, connect

AT_ONCE = 3
STATEMENTS_AT_LEAST = 12
REFERENCES = ("public.nodes.user_id=public.profiles.id", "public.leads.user_id=public.profiles.id")
STRATEGIES = ("leads.user_id:unknown=nullify", "leads.user_id:erased=delete")
TABLES = ("public.nodes", "public.leads", "public.bills")
ROWS = Rows({"nodes": [0, 4, 0, 3, 1], "leads": [4, 2, 0], "bills": [4]}, [1, 1, 1, 0, 2])
COMMAND = [
    "repair", "--apply", "--json", "--batch-size", "1", "--pause-milliseconds", "0", "--on-delete", "leads.user_id=set null",
    *(part for name in REFERENCES for part in ("--reference", name)),
    *(part for name in STRATEGIES for part in ("--strategy", name)),
]  # fmt: skip
RESTORE = ["restore", "1", "--json", "--pause-milliseconds", "0"]
ACTED = "action in ('quarantine', 'delete') and restored_at is null"


@dataclass(frozen=True, slots=True)
class Story:
    """What is the same for every death: where it begins, the command, how the tables read before and at the end."""

    begun: Database
    command: list[str]
    when: str
    original: dict[str, str | None]
    end: dict[str, str | None]


@pytest.fixture
async def begun(cluster: embedded.Cluster, template: str) -> AsyncIterator[Database]:
    """A database with orphans: the pattern for each death."""
    database = await create_database(cluster, template)
    connection = await connect(Target(database.url))
    await connection.execute(SCHEMA)
    await make_people(connection)
    await fill(connection, ROWS)
    await connection.close()
    yield database
    await drop_database(database)


@pytest.mark.parametrize("when", ["before", "sent"])
async def test_repair_killed_at_any_statement_comes_to_the_same_end(begun: Database, when: str) -> None:
    """At every moment each row is in its table or in the quarantine; the next run completes the work; a restore undoes both."""
    original, end = await _undisturbed(begun)
    assert await _die_everywhere(Story(begun, COMMAND, when, original, end)) > STATEMENTS_AT_LEAST


@pytest.mark.parametrize("when", ["before", "sent"])
async def test_restore_killed_at_any_statement_comes_to_the_same_end(
    begun: Database, cluster: embedded.Cluster, when: str
) -> None:
    """What was back is back, and the next restore brings the rest."""
    original, end = await _undisturbed(begun)
    done = await create_database(cluster, begun.name)
    session = await settled(done)
    await _apply(session)
    await session.execute("alter table public.bills drop constraint bills_payer_fkey")
    await done.close()

    assert await _die_everywhere(Story(done, RESTORE, when, original, end)) > STATEMENTS_AT_LEAST
    await drop_database(done)


async def _undisturbed(begun: Database) -> tuple[dict[str, str | None], dict[str, str | None]]:
    """Return how the tables read before, and after a repair that nobody disturbs."""
    database = await create_database(begun.cluster, begun.name)
    session = await settled(database)
    original = await checksums(session, TABLES)
    await _apply(session)
    end = await checksums(session, TABLES)
    await drop_database(database)
    assert original != end
    return original, end


async def _die_everywhere(story: Story) -> int:
    numbers = itertools.count(1)

    async def die_again_and_again() -> int:
        async with herd() as dying:
            while await _dies_at(number := next(numbers), story, dying):
                pass
        return number

    async with asyncio.TaskGroup() as group:
        lanes = [group.create_task(die_again_and_again()) for _ in range(AT_ONCE)]
    return min(lane.result() for lane in lanes)


async def _dies_at(number: int, story: Story, dying: Herd) -> bool:
    """Let a command die at that statement and go on; return whether there was such a statement."""
    database = await create_database(story.begun.cluster, story.begun.name)
    session = await settled(database)
    expected = await _rows(session)
    status = await dying.dies(number, story.when, url=database.url, command=story.command)
    assert status in {0, -signal.SIGKILL}, f"after a death {story.when} statement {number}"
    assert await _rows(session) == expected, f"after a death {story.when} statement {number}"
    if story.command is COMMAND:
        await _apply(session)
        await eventually(partial(_is_alone, session))  # a begin that was sent may have been carried out only now
        await _apply(session)
        assert await checksums(session, TABLES) == story.end, f"after a death {story.when} statement {number}"
        assert await count(session, "pgmend.repairs where state = 'running'") == 0
        await session.execute("alter table public.bills drop constraint bills_payer_fkey")
    await _restore_all(session)
    assert await checksums(session, TABLES) == story.original, f"after a death {story.when} statement {number}"
    await drop_database(database)
    return status != 0


async def _apply(session: Connection) -> None:
    """Go on with what was interrupted, then plan again and do that."""
    for run in await repairs.unfinished(session):
        await RepairRun(session, run.repair_id, run.search_path, Pacing(pause=0), lambda _: None).run()
    plan = await planned(session, *REFERENCES, strategies=STRATEGIES, on_delete={"leads.user_id": "set null"})
    if plan.acting:
        await repaired(session, plan, pacing=Pacing(batch_size=1, pause=0))


async def _is_alone(session: Connection) -> bool:
    others = "pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'"
    return await count(session, others) == 0


async def _restore_all(session: Connection) -> None:
    """Restore every run, the last one first."""
    for row in await session.fetch("select repair_id from pgmend.repairs order by repair_id desc"):
        assert (await restored(session, row[0]))[1] == 0


async def _rows(session: Connection) -> int:
    """Return how many rows there are, in one look: the backend of somebody just killed may still be at work."""
    tables = " union all ".join(f"select from {table}" for table in TABLES)
    return await count(session, f"({tables} union all select from pgmend.quarantine where {ACTED}) as every")
