"""Held snapshot: a drain in small waves while another session's old snapshot keeps the dead rows from being vacuumed."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from bench import application, own
from bench.application import Filling
from bench.laboratory import Laboratory, connected
from bench.picture import Bar, Bars, Group
from bench.reference import set_based
from bench.report import Comparison, Report, Target
from bench.rounds import Lane, Rounds, interleave
from worker.store.connection import Connection

NAME = "held_snapshot"
UNIT = "events/s"
WAVE = 250

Drain = Callable[[Connection], Callable[[], Awaitable[object]]]
"""Makes, for a connection, what drains it once: a path keeps its low-water mark from wave to wave."""

LABELS = {
    "reference": "pgmend, nobody holds a snapshot",
    "reader": "pgmend, a reader holds one",
    "writer": "pgmend, a writer holds one",
    "naive_reference": "claim from the first id, none held",
    "naive": "claim from the first id, held",
}


async def measure(laboratory: Laboratory) -> Report:
    """Drain 50,000 events in waves of 250, with and without somebody else's old snapshot."""
    events = laboratory.size(50_000, 1_000)
    prepared = await laboratory.prepare(Filling())

    def lane(drain: Drain, holding: str | None) -> Lane:
        async def run() -> float:
            async with laboratory.copy(prepared) as url, _held(url, holding):
                return events / await _drain_waves(url, drain, events // WAVE)

        return run

    lanes = {
        "reference": lane(_ours, None),
        "reader": lane(_ours, READ),
        "writer": lane(_ours, WRITE),
        "naive_reference": lane(_naive, None),
        "naive": lane(_naive, READ),
    }
    rounds = await interleave(laboratory.size(7, 1), lanes)
    compare = Comparison(rounds, UNIT)
    figures = (
        compare.figure("held snapshot, reader", "reader", "reference", Target(0.8)),
        compare.figure("held snapshot, writer", "writer", "reference", Target(0.8)),
        compare.figure("held snapshot, claim from the first id", "naive", "naive_reference"),
    )
    return Report(NAME, figures, _picture(events, rounds), rounds.values)


READ = "select count(*) from pgmend.outbox"

WRITE = "insert into public.leads (user_id, source) select id, 'bench' from public.users where false; select pg_current_xact_id()"


@asynccontextmanager
async def _held(url: str, statement: str | None) -> AsyncIterator[None]:
    """Hold a snapshot in a session of its own, taken by the statement, for as long as the block lasts."""
    async with connected(url) as connection:
        if statement is None:
            yield
            return
        holding = connection.transaction(isolation="repeatable_read")
        await holding.start()
        await connection.execute(statement)
        yield
        await holding.rollback()


async def _drain_waves(url: str, drain: Drain, waves: int) -> float:
    """Write wave after wave and drain each; return the seconds that the draining took."""
    seconds = 0.0
    async with connected(url) as writing, own.connected(url) as connection:
        drain_once = drain(connection)
        for _ in range(waves):
            await writing.execute(application.SIGN_UPS, WAVE, 0)
            started = time.perf_counter()
            await drain_once()
            seconds += time.perf_counter() - started
        assert not await writing.fetchval("select count(*) from pgmend.outbox")
    return seconds


def _ours(connection: Connection) -> Callable[[], Awaitable[object]]:
    path = own.path(connection)
    return lambda: own.take_turns(path)


def _naive(connection: Connection) -> Callable[[], Awaitable[object]]:
    return lambda: set_based.drain(connection)


def _picture(events: int, rounds: Rounds) -> Bars:
    def bar(lane: str) -> Bar:
        kind = "reference" if lane == "reference" else "other" if lane.startswith("naive") else "ours"
        return Bar(LABELS[lane], rounds.median(lane), kind, rounds.values[lane])

    note = f"{events:,} events in waves of {WAVE}; time spent draining; median of the rounds (ticks)"
    return Bars("Draining beside an old snapshot", note, UNIT, [Group("", [bar(lane) for lane in LABELS])])
