"""What whoever is on call waits for: a real worker's page and metrics over HTTP, and commands as processes of their own."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

import aiohttp

from bench import own
from bench.laboratory import connected

Question = Callable[[int], Awaitable[object]]

PAGE_REFERENCE = "an answer without the database"
COMMAND_REFERENCE = "pgmend config"
COMMANDS = ("status", "events list", "dead-letters list")
_REMEMBERED_SECONDS = 1.05
"""For so long the overview, and the metrics, are shown as they were."""


@asynccontextmanager
async def served(url: str, rows: int, letters: int) -> AsyncIterator[dict[str, Question]]:
    """Run a worker that serves; yield what is asked of its page, once its sweep has counted."""
    port = _free_port()
    async with (
        own.worker(url, HTTP_PORT=str(port)) as worker,
        connected(url) as connection,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
    ):
        await own.until(connection, "exists (select from pgmend.user_counts)", worker)
        user = await connection.fetchval("select user_id from public.error_logs where id = $1", rows // 2)
        ask = partial(_got, session)
        yield {
            PAGE_REFERENCE: lambda _: ask("/livez"),
            "page, overview": lambda _: ask("/"),
            "page, dead letters": lambda _: ask("/dead-letters"),
            "page, one dead letter": lambda n: ask(f"/dead-letters/{1 + n * 7919 % letters}"),
            "page, audit of a user": lambda _: ask(f"/audit?user={user}"),
            "page, audit of an event": lambda n: ask(f"/audit?event={1 + n * 104729 % rows}"),
            "page, audit of an error type": lambda _: ask("/audit?type=SOURCE_PAUSED"),
            "page, story of an event": lambda n: ask(f"/events/{1 + n * 104729 % rows}"),
            "metrics": lambda _: ask("/metrics"),
        }
        assert await connection.fetchval("select count(*) from pgmend.dead_letters") == letters, "the worker has let some go"


def commands(url: str) -> dict[str, Question]:
    """Return the commands, and one that starts as they do and asks no database."""
    asked: dict[str, Question] = {COMMAND_REFERENCE: partial(_command, url, "config")}
    return asked | {f"pgmend {command}": partial(_command, url, command) for command in COMMANDS}


async def once(question: Question, number: int) -> float:
    """Ask when nothing is remembered of the last time; return the milliseconds."""
    await asyncio.sleep(_REMEMBERED_SECONDS)
    started = time.perf_counter()
    await question(number)
    return (time.perf_counter() - started) * 1000


async def _got(session: aiohttp.ClientSession, path: str) -> None:
    async with session.get(path) as answer:
        body = await answer.read()
        assert answer.status == 200, f"{path}: {answer.status} {body[:500]!r}"


async def _command(url: str, command: str, _: int) -> None:
    async with own.process("-m", "worker", *command.split(), PGMEND_DATABASE_URL=url) as running:
        status = await running.wait()
        assert status == 0, f"{command} ended with {status}"


def _free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])
