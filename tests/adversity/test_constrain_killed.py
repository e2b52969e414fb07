"""kill -9 at any change that constrain makes: the next run goes on to the same end."""

import asyncio
import itertools
import signal
import sys
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from tests.support.activity import terminate
from tests.support.constrained import constrained, planned, run_on, state
from tests.support.database import Database, create_database, drop_database
from tests.support.process import environment, run_command
from tests.support.waiting import eventually
from worker import embedded
from worker.core.constrain.step import AwaitIndex, CreateIndex, DropIndex
from worker.store.connection import Connection, Target, connect
from worker.wishes import Asked, gather

AT_ONCE = 3
CHANGES_AT_LEAST = 12
REFERENCES = ("orders.user_id=profiles.id", "visits.user_id=profiles.id")
ON_DELETE = ("orders.user_id=cascade", "visits.user_id=cascade")
TABLES = """
    create table public.profiles (id int primary key);
    create table public.orders (user_id int);
    create table public.visits (user_id int, n int) partition by list (n);
    create table public.visits_a partition of public.visits for values in (1);
    create table public.visits_b partition of public.visits default partition by range (n);
    create table public.visits_b_a partition of public.visits_b for values from (5) to (1000);
    insert into public.profiles select generate_series(1, 50);
    insert into public.orders select n from generate_series(1, 50) as n;
    insert into public.visits select n, 5 + n from generate_series(1, 50) as n
"""
INDEX = "select indisvalid from pg_index where indexrelid = to_regclass('public.orders_by_user_id')"


@pytest.fixture
async def pattern(cluster: embedded.Cluster) -> AsyncIterator[Database]:
    """A database without keys: the pattern for each death."""
    database = await create_database(cluster)
    connection = await connect(Target(database.url))
    await connection.execute(TABLES)
    await connection.close()
    yield database
    await drop_database(database)


@pytest.mark.parametrize("when", ["before", "sent"])
async def test_run_killed_at_any_change_is_completed_by_the_next(pattern: Database, when: str) -> None:
    """Wherever it dies, a second run ends with the keys and indexes of an undisturbed one, and leaves nothing invalid."""
    wanted = await _undisturbed(pattern)
    numbers = itertools.count(1)

    async def die_again_and_again() -> int:
        while await _dies_at(number := next(numbers), when, pattern, wanted):
            pass
        return number

    async with asyncio.TaskGroup() as group:
        lanes = [group.create_task(die_again_and_again()) for _ in range(AT_ONCE)]

    assert min(lane.result() for lane in lanes) > CHANGES_AT_LEAST


async def _undisturbed(pattern: Database) -> list[dict[str, Any]]:
    database = await create_database(pattern.cluster, pattern.name)
    await constrained(database, *REFERENCES, on_delete=ON_DELETE)
    found = await state(await database.connect())
    await drop_database(database)
    return found


async def _dies_at(number: int, when: str, pattern: Database, wanted: list[dict[str, Any]]) -> bool:
    """Let a run die at that change and another one finish; return whether there was such a change."""
    database = await create_database(pattern.cluster, pattern.name)
    options = [*(f"--reference={it}" for it in REFERENCES), *(f"--on-delete={it}" for it in ON_DELETE)]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.dying_constrain", str(number), when, "--apply", *options),
        env=environment(database.url),
        stdout=asyncio.subprocess.DEVNULL,
    )
    status = await process.wait()
    assert status in {0, -signal.SIGKILL}
    await constrained(database, *REFERENCES, on_delete=ON_DELETE)
    assert await state(await database.connect()) == wanted, f"after a death {when} change {number}"
    await drop_database(database)
    return status != 0


async def test_run_killed_after_its_last_change_is_given_again_as_it_was(database: Database, connection: Connection) -> None:
    """The key that it names is valid by then, and the source alone says that it is a reference: nothing is left to do."""
    await connection.execute("alter table public.orders drop constraint fk_orders_user_id")
    command = (
        "--apply",
        "--only",
        "orders.user_id",
        "--name",
        "orders.user_id=fk_orders",
        "--on-delete",
        "orders.user_id=cascade",
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.dying_constrain", "4", "sent", *command),
        env=environment(database.url),
        stdout=asyncio.subprocess.DEVNULL,
    )
    assert await process.wait() == -signal.SIGKILL
    await eventually(lambda: connection.fetchval("select convalidated from pg_constraint where conname = 'fk_orders'"))
    status, out, err = await run_command(database.url, "constrain", *command)

    assert (status, err) == (0, "")
    assert "orders.user_id=profiles.id: fk_orders is valid, nothing was to be done\n" in out


@pytest.fixture
async def shop(empty_database: Database) -> Connection:
    """The same tables, in the test's own database."""
    connection = await empty_database.connect()
    await connection.execute(TABLES)
    return connection


async def test_invalid_index_left_behind_is_dropped_and_made_again(empty_database: Database, shop: Connection) -> None:
    """Its backend was ended in the middle: what is left is known by name and definition, and no trace of it stays."""
    old = await empty_database.connect()
    async with old.transaction():
        await old.execute("insert into public.orders values (1)")
        await _begin_index(empty_database, shop)
        await terminate(shop, await _builder(shop))
        left_behind = await shop.fetchval(INDEX)
    (plan,) = await planned(empty_database, REFERENCES[0])
    (outcome,) = await constrained(empty_database, REFERENCES[0])

    assert left_behind is False
    assert [type(step) for step in plan.steps[:2]] == [DropIndex, CreateIndex]
    assert outcome.done[0] == "drop index concurrently public.orders_by_user_id"
    assert await shop.fetchval(INDEX) is True


async def test_index_that_another_backend_still_builds_is_waited_for(empty_database: Database, shop: Connection) -> None:
    """A killed run leaves its backend at work: its index is neither dropped nor made again, and it is told who builds it."""
    old = await empty_database.connect(application_name="an old report")
    transaction = old.transaction()
    await transaction.start()
    await old.execute("insert into public.orders values (1)")
    await _begin_index(empty_database, shop)
    async with run_on(empty_database.url) as told:
        (wish,) = await gather(shop, Asked([REFERENCES[0]]))
        plan = await told.constraining.plan(wish)
        running = asyncio.ensure_future(told.constraining.carry_out(wish))
        await eventually(lambda: _has_said(told.lines, "attempt 2"))
        await transaction.commit()
        outcome = await running

    assert [type(step) for step in plan.steps[:1]] == [AwaitIndex]
    assert not any("index" in text for text in outcome.done)
    assert await _has_said(told.lines, "(the builder) of postgres: active")
    assert await _has_said(told.lines, "(an old report) of postgres: idle in transaction")
    assert await shop.fetchval(INDEX) is True


async def _begin_index(database: Database, connection: Connection) -> None:
    """Let a backend begin the index, and wait until it waits for the old transaction."""
    builder = await asyncpg.connect(database.url, server_settings={"application_name": "the builder"})
    database._open.append(builder)
    text = "create index concurrently orders_by_user_id on public.orders (user_id)"
    asyncio.ensure_future(builder.execute(text)).add_done_callback(lambda task: task.exception())
    await eventually(lambda: _builder(connection))


async def _builder(connection: Connection) -> int:
    query = "select pid from pg_stat_activity where application_name = 'the builder' and wait_event_type = 'Lock'"
    return int(await connection.fetchval(query) or 0)


async def _has_said(lines: list[str], text: str) -> bool:
    return any(text in line for line in lines)
