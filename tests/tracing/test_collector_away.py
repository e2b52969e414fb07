"""No collector, or one that never answers: the worker's work and its end are the same."""

import asyncio
import signal
import socket
from collections.abc import Iterator

import pytest

from tests.conftest import StartWorker
from tests.support.collector import traced
from tests.support.database import sign_up
from tests.support.workload import broken_promises, make_admin, play, settled
from worker.store.connection import Connection

FAREWELL = 5.0
"""Seconds that a worker tries for to send its last spans."""


@pytest.fixture
def nobody() -> Iterator[int]:
    """A port on which nobody listens, kept from others."""
    with socket.socket() as kept:
        kept.bind(("127.0.0.1", 0))
        yield kept.getsockname()[1]


@pytest.fixture
def mute() -> Iterator[int]:
    """A port on which connections are taken, and nobody ever answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


async def test_worker_without_its_collector_settles_everything_and_says_so(
    nobody: int, connection: Connection, start: StartWorker
) -> None:
    """Every fate that an event can have is met as ever; the log says that no spans arrive, and stderr nothing."""
    await play(connection, rounds=2)
    worker = await start(*traced(nobody))
    await worker.logged("tracing_failed", level="warning")
    await make_admin(connection)
    await settled(connection)
    worker.send(signal.SIGTERM)

    assert await worker.ended(within=FAREWELL + 10) == 0
    assert await broken_promises(connection) == []
    assert (worker.stderr, len([line for line in worker.lines if line["event"] == "tracing_failed"])) == (b"", 1)


async def test_collector_that_never_answers_holds_up_neither_work_nor_end(
    mute: int, connection: Connection, start: StartWorker
) -> None:
    """The thread that waits for it is left behind."""
    worker = await start(*traced(mute))
    await sign_up(connection)
    await settled(connection)
    worker.send(signal.SIGTERM)

    await worker.logged("worker_stopped", within=FAREWELL + 10)
    assert await worker.ended(within=5) == 0
    assert worker.stderr == b""


async def test_last_spans_take_no_longer_than_the_grace_period(mute: int, connection: Connection, start: StartWorker) -> None:
    """What is left of the grace period is all that is spent on them, and what has no room is no failure."""
    worker = await start(*traced(mute), grace_period_seconds=0.5)
    await sign_up(connection)
    await settled(connection)
    asked = asyncio.get_running_loop().time()
    worker.send(signal.SIGTERM)

    assert await worker.ended() == 0
    assert asyncio.get_running_loop().time() - asked < FAREWELL
