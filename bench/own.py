"""Our side: the worker's path in this process, and the worker as a process of its own."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from worker import pipeline
from worker.log import make_log
from worker.store.connection import Connection, Target, close, connect

Connecting = Callable[[str], AbstractAsyncContextManager[Connection]]

COMMITS = """
with made as (
    select pg_xact_commit_timestamp(profiles.xmin) as at
    from public.profiles as profiles
    inner join public.users as users on users.id = profiles.id
    where users.email like 'user%'
),
bounds as (select min(at) as first, max(at) as last from made)
select extract(epoch from max(last) - min(first))::float8, count(*) filter (where at > first)
from made, bounds
"""

ROOT = Path(__file__).parents[1]

_NOWHERE = Path(os.devnull).open("w")  # noqa: SIM115 - open as long as the process
_LOOK_EVERY_SECONDS = 0.02


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Connection]:
    """Yield a connection as the worker opens its own."""
    connection = await connect(Target(url, statement_timeout=600))
    try:
        yield connection
    finally:
        await close(connection)


async def drain(connection: Connection) -> int:
    """Take turns until nothing is due; return how many events were settled."""
    return await take_turns(path(connection))


def path(connection: Connection) -> pipeline.Path:
    """Return the worker's path on a connection; its log is written, to nowhere."""
    log = make_log(level="info", log_format="json", worker_id="bench", stream=_NOWHERE)
    return pipeline.Path(connection, log)


async def take_turns(taken: pipeline.Path) -> int:
    """Take turns on a path until nothing is due; return how many events were handled."""
    handled = 0
    while True:
        turn = await pipeline.turn(taken)
        handled += turn.handled
        if not turn.more and (turn.next_due_in is None or turn.next_due_in > 0):
            return handled


@asynccontextmanager
async def process(*arguments: str, **environment: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run ``python ARGUMENTS`` from the root of the repository, without our own settings; stop it at the end."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PGMEND_")}
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, *arguments),
        cwd=ROOT,
        env=clean | environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        yield running
    finally:
        if running.returncode is None:
            running.terminate()
        await running.wait()


@asynccontextmanager
async def worker(url: str, **chosen: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run ``pgmend run`` with a poll interval of an hour, so that only the bell and the lease count; yield once it listens."""
    settings = {"DATABASE_URL": url, "POLL_INTERVAL_SECONDS": "3600", "SWEEP_INTERVAL_SECONDS": "3600"} | chosen
    async with (
        process("-m", "worker", "run", **{f"PGMEND_{name}": value for name, value in settings.items()}) as running,
        connected(url) as connection,
    ):
        await until(connection, "exists (select from pgmend.workers where listening)", running)
        yield running


async def commits(connection: Connection) -> tuple[float, int]:
    """Return the seconds between the first and the last commit of new profiles, and how many were made after the first."""
    row = await connection.fetchrow(COMMITS)
    assert row is not None
    return float(row[0]), int(row[1])


async def until(connection: Connection, condition: str, running: asyncio.subprocess.Process) -> None:
    """Wait until the database says so, for ten minutes at most, and only while the process runs."""
    async with asyncio.timeout(600):
        while not await connection.fetchval(f"select {condition}"):
            if running.returncode is not None:
                raise RuntimeError(f"the process ended with status {running.returncode}")
            await asyncio.sleep(_LOOK_EVERY_SECONDS)
