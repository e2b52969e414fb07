"""Liveness: a task that hangs is told from one that works, waits or sleeps, whatever the database does."""

import asyncio
import time
from collections.abc import Iterator
from io import StringIO

import pytest

from tests.support.database import Database, sign_up
from tests.support.serving import make_worker, served
from tests.support.workload import TOO_LONG, park_order
from worker import pipeline
from worker.core.event import Event
from worker.core.facts import Facts
from worker.core.readiness import lateness
from worker.core.vitals import Pulse, Vitals
from worker.log import Log
from worker.pipeline import Path, Turn
from worker.store import profiles
from worker.store.connection import Connection

AGES = 10_000.0


async def test_consumer_that_hangs_turns_liveness_red_until_it_goes_on(
    database: Database, log: Log, log_lines: StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A turn that never ends is seen once it has taken longer than all its statements may, and the body names the consumer."""
    begun, may_go_on, turn, skipped = asyncio.Event(), asyncio.Event(), pipeline.turn, 0.0

    async def hangs(path: Path) -> Turn:
        begun.set()
        await may_go_on.wait()
        return await turn(path)

    monkeypatch.setattr(pipeline, "turn", hangs)
    vitals = Vitals(now=lambda: time.monotonic() + skipped)
    async with served(make_worker(database.url, log, vitals=vitals), log_lines) as client:
        await begun.wait()
        assert (await client.get("/livez")).status == 200
        skipped = AGES
        red = await client.get("/livez")
        may_go_on.set()
        await client.turns("/livez")

    assert red.status == 503
    assert "the consumer-1 hangs" in {reason["what"] for reason in red.body["reasons"]}


async def test_consumer_that_sleeps_for_an_hour_is_not_late(
    database: Database, connection: Connection, log: Log, log_lines: StringIO
) -> None:
    """It has said for how long it sleeps; the listener, which promised a heartbeat, is the one that would be missed."""
    await sign_up(connection)
    skipped = 0.0
    vitals = Vitals(now=lambda: time.monotonic() + skipped)
    worker = make_worker(database.url, log, vitals=vitals, poll_interval_seconds=7200, heartbeat_interval_seconds=7200)
    async with served(worker, log_lines) as client:
        await client.becomes("pgmend_events_total", 1, kind="user_created", outcome="healed")
        await client.turns("/livez")
        worker.vitals.sweeper.expect(None, "rests")
        skipped = 3600.0

        assert (await client.get("/livez")).status == 200


def test_who_waits_without_a_bound_is_never_late() -> None:
    """A connection takes as long as the server is away."""
    seconds = 0.0
    vitals = Vitals(now=lambda: seconds)
    pulse = vitals.new_consumer()
    pulse.expect(None, "connects")
    seconds = AGES

    assert lateness(vitals) == []


def test_who_goes_on_has_as_long_again() -> None:
    """A batch of a hundred events is heard of at every event."""
    seconds = 0.0
    pulse = Pulse("consumer-1", lambda: seconds)
    pulse.expect(60, "takes a turn")
    seconds = 60.0
    pulse.go_on()
    seconds = 120.0
    assert pulse.overdue() == 0

    seconds = 130.0
    assert pulse.overdue() == 5


async def test_batch_whose_facts_time_out_one_by_one_is_not_late(
    connection: Connection, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each user who is asked about takes as long as a statement may: slow is not hung, and a restart would begin anew."""
    seconds, late = 0.0, []
    path.pulse = Pulse("consumer-1", lambda: seconds)

    async def times_out(_connection: Connection, _events: list[Event]) -> Iterator[tuple[int, Facts]]:
        nonlocal seconds
        seconds += 30
        late.append(path.pulse.overdue())
        raise TimeoutError

    for number in range(10):
        await park_order(connection, await sign_up(connection, f"{number}@x", TOO_LONG))
    await pipeline.express(path)
    monkeypatch.setattr(profiles, "facts", times_out)
    path.pulse.expect(60, "takes a turn")

    assert await pipeline.careful(path) == len(late) - 1 >= 10
    assert [*late, path.pulse.overdue()] == [0.0] * (len(late) + 1)
