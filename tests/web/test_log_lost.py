"""A worker whose log can no longer be written goes on with its work, and shows it where somebody looks."""

import asyncio
import fcntl
import itertools
import json
import os
import pty
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.database import Database, count, sign_up
from tests.support.process import COMMAND, environment
from tests.support.waiting import eventually
from tests.support.web import Client
from worker.store.connection import Connection

FULL = Path("/dev/full")
SMALL_PIPE = 8192


@dataclass(slots=True)
class Piped:
    """A worker, and the end of the pipe that somebody reads its log from."""

    process: asyncio.subprocess.Process
    reading: int
    port: int

    def leave(self) -> None:
        """Close the pipe, as a reader that ends does."""
        os.close(self.reading)

    async def ended(self) -> tuple[int, str]:
        """Stop it; return its exit status and what it said on stderr."""
        self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(30):
            _, said = await self.process.communicate()
        assert self.process.returncode is not None
        return self.process.returncode, said.decode()


@pytest.fixture
async def piped(database: Database) -> AsyncIterator[Piped]:
    """A worker whose log goes into a pipe that has been read up to the line that names the port."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, SMALL_PIPE)
    process = await start(database.url, writing)
    os.close(writing)
    yield Piped(process, reading, await asyncio.to_thread(port_in, reading))
    if process.returncode is None:
        process.kill()
        await process.communicate()


async def start(url: str, stdout: int) -> asyncio.subprocess.Process:
    """Start a worker that serves."""
    settings: dict[str, object] = {"http_port": 0, "observe_interval_seconds": 0.1, "poll_interval_seconds": 3600}
    return await asyncio.create_subprocess_exec(
        *(*COMMAND, "run"), env=environment(url, **settings), stdout=stdout, stderr=asyncio.subprocess.PIPE
    )


def port_in(reading: int) -> int:
    """Read lines until one says where it is served."""
    with os.fdopen(os.dup(reading)) as lines:
        return next(int(said["port"]) for said in map(json.loads, lines) if said["event"] == "http_started")


def read_all(reading: int) -> list[bytes]:
    """Read lines until nobody writes any more."""
    with os.fdopen(reading, "rb") as lines:
        return lines.readlines()


async def test_worker_whose_log_has_no_reader_goes_on_healing(piped: Piped, connection: Connection) -> None:
    """Who read the log is gone: the next sign-up is healed all the same, once, and a stop ends as always."""
    client = Client(piped.port)
    await client.turns("/readyz")
    piped.leave()
    user = await sign_up(connection)
    await client.becomes("pgmend_events_total", 1, kind="user_created", outcome="healed")
    status, said = await piped.ended()

    assert await connection.fetchval("select count(*) from public.profiles where id = $1", user) == 1
    assert await connection.fetchval("select count(*) from public.error_logs where error_type = 'MISSING_PROFILE_CREATED'") == 1
    assert (status, said) == (0, "pgmend: the log cannot be written: Broken pipe -> the worker goes on without; restart it\n")


async def test_lost_log_shows_in_readiness_and_metrics(piped: Piped, connection: Connection) -> None:
    """Nobody can read in the log that there is none."""
    client = Client(piped.port)
    await client.turns("/readyz")
    piped.leave()
    await sign_up(connection)
    red = await client.turns("/readyz", "log_lost")

    assert red.body["reasons"][0]["detail"] == "Broken pipe"
    assert (await client.get("/livez")).status == 200
    assert (await client.sample("pgmend_log_lines_lost_total") or 0) >= 1


async def test_reader_that_hangs_holds_no_worker_up(piped: Piped, connection: Connection) -> None:
    """Its pipe is full: lines are lost and users are healed, and once it reads again the log is well by itself."""
    client = Client(piped.port)
    await client.turns("/readyz")
    numbers = itertools.count()

    async def is_red() -> bool:
        await sign_up(connection, f"{next(numbers)}@example.org")
        return (await client.get("/readyz")).codes == {"log_lost"}

    await eventually(is_red)
    await client.becomes("pgmend_events_total", next(numbers), kind="user_created", outcome="healed")
    red = await client.get("/readyz")

    assert red.body["reasons"][0]["detail"] == "its reader takes nothing"
    assert (await client.get("/livez")).status == 200

    reading = asyncio.create_task(asyncio.to_thread(read_all, piped.reading))
    await sign_up(connection)
    await client.turns("/readyz")
    status, said = await piped.ended()

    assert (status, said.count("its reader takes nothing")) == (0, 1)
    assert [line["event"] for line in map(json.loads, await reading)][-1] == "worker_stopped"


async def test_terminal_that_nobody_reads_holds_no_worker_up(database: Database, connection: Connection) -> None:
    """It takes less than it says it would: users are healed all the same, and a stop ends as always."""
    master, terminal = pty.openpty()
    process = await start(database.url, terminal)
    os.close(terminal)

    async def is_healed() -> bool:
        return await count(connection, "public.users") == await count(connection, "public.profiles")

    for number in range(60):
        await sign_up(connection, f"{number}@example.org")
        await eventually(is_healed)
    status, _ = await Piped(process, -1, 0).ended()
    os.close(master)

    assert status == 0


async def test_log_on_a_full_disk_ends_no_worker(database: Database, connection: Connection) -> None:
    """No line can be written from the first one on: the worker heals, and ends when told."""
    if not FULL.exists():
        pytest.skip("this system has no /dev/full")
    full = os.open(FULL, os.O_WRONLY)
    process = await start(database.url, full)
    os.close(full)
    await sign_up(connection)

    async def is_healed() -> bool:
        return bool(await connection.fetchval("select count(*) from public.profiles"))

    await eventually(is_healed)
    status, said = await Piped(process, -1, 0).ended()

    assert status == 0
    assert said.startswith("pgmend: the log cannot be written: No space left on device")
