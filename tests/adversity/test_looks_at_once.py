"""Two workers who have seen different things write down what they saw at the same moment."""

import asyncio

from tests.support.database import Database, count
from tests.support.waiting import eventually
from worker.core.failure import Failure
from worker.core.source_failure import SourceFailure
from worker.store import integrity
from worker.store.connection import Connection

SECOND = """
    create table public.members (id uuid primary key);
    create table public.badges (id uuid primary key);
    select pgmend.attach_source('public.members', 'public.badges')
"""
GONE = SourceFailure(Failure("42703", "a column is gone"))


async def test_two_who_disagree_on_which_source_fails_wait_for_each_other(database: Database, connection: Connection) -> None:
    """One has seen the first fail and the other the second: neither is ended by a deadlock, and the later one is believed."""
    first, second, watcher = [await database.connect() for _ in range(3)]
    await connection.execute(SECOND)
    await _keep(connection, {1: GONE, 2: GONE})
    async with connection.transaction():
        await connection.execute("select from pgmend.source_failures where source_id = 1 for update")
        earlier = asyncio.ensure_future(_keep(second, {1: None, 2: GONE}))
        await eventually(lambda: _waits_for(watcher, second, connection))
        later = asyncio.ensure_future(_keep(first, {1: GONE, 2: None}))
        await eventually(lambda: _waits_for(watcher, first, second))
    await asyncio.gather(earlier, later)

    assert await count(connection, "pgmend.source_failures where source_id = 1") == 1
    assert await count(connection, "pgmend.source_failures") == 1


async def _keep(connection: Connection, judged: dict[int, SourceFailure | None]) -> None:
    async with connection.transaction():
        await integrity.keep_failures(connection, judged)


async def _waits_for(watcher: Connection, waiting: Connection, holding: Connection) -> bool:
    pids = waiting.get_server_pid(), holding.get_server_pid()
    return bool(await watcher.fetchval("select $2 = any (pg_blocking_pids($1))", *pids))
