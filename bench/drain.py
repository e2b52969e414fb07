"""Drain: a backlog of sign-ups settled by the worker's own path, beside the hand-written set-based loop."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bench import application, own
from bench.application import Filling
from bench.laboratory import Laboratory, connected
from bench.picture import Bar, Bars, Group
from bench.reference import set_based
from bench.report import Comparison, Report, Target
from bench.rounds import Lane, Rounds, interleave
from worker.store.connection import Connection

NAME = "drain"
UNIT = "events/s"

Drain = Callable[[Connection], Awaitable[object]]

LABELS = {
    "reference": "set-based loop, by hand",
    "ours": "pgmend",
    "poison": "pgmend, 1 % refused by a CHECK",
    "trigger_reference": "set-based loop, with trigger",
    "trigger": "pgmend, 1 % refused by a trigger",
    "process": "pgmend run, its own process",
    "whole": "set-based, one transaction",
}


@dataclass(frozen=True, slots=True)
class Backlog:
    """A prepared database with this many events waiting."""

    laboratory: Laboratory
    prepared: str
    events: int
    poisoned: int = 0

    def lane(self, drain: Drain, connect: own.Connecting = connected) -> Lane:
        """Return a lane that drains a copy and says how many events a second were settled."""

        async def run() -> float:
            async with self.laboratory.copy(self.prepared) as url, connect(url) as connection:
                started = time.perf_counter()
                await drain(connection)
                seconds = time.perf_counter() - started
                await self.check(connection)
            return self.events / seconds

        return run

    async def in_process(self) -> float:
        """Drain a copy with a real worker; events a second between its first and its last commit."""
        async with self.laboratory.copy(self.prepared) as url, own.worker(url) as worker, connected(url) as connection:
            await own.until(connection, "not exists (select from pgmend.outbox)", worker)
            seconds, settled = await own.commits(connection)
            await self.check(connection)
        return settled / seconds

    async def check(self, connection: Connection) -> None:
        """Raise unless everything was settled: a fast drain that loses something is no drain."""
        left = await connection.fetchval("select count(*) from pgmend.outbox")
        made = await connection.fetchval("select count(*) from public.profiles") - application.CROWD
        audited = await connection.fetchval("select count(*) from public.error_logs where error_type = 'MISSING_PROFILE_CREATED'")
        expected = self.events - self.poisoned
        if (left, made, audited) != (0, expected, expected):
            raise AssertionError(f"{left} events left, {made} profiles, {audited} audit entries; expected {expected}")


async def measure(laboratory: Laboratory) -> Report:
    """Drain 50,000 events: by hand, by the path, with poison among them, and by a real worker process."""
    events = laboratory.size(50_000, 2_000)
    lanes = await _lanes(laboratory, events)
    rounds = await interleave(laboratory.size(7, 1), lanes)
    compare = Comparison(rounds, UNIT)
    figures = (
        compare.figure("drain", "ours", "reference", Target(0.8)),
        compare.figure("drain, 1 % poison by a CHECK", "poison", "reference", Target(0.7)),
        compare.figure("drain, 1 % poison by a trigger", "trigger", "trigger_reference", Target(0.7)),
        compare.figure("drain, pgmend run", "process", "reference"),
        compare.figure("drain, against one transaction", "ours", "whole"),
    )
    return Report(NAME, figures, _picture(events, rounds), rounds.values)


async def _lanes(laboratory: Laboratory, events: int) -> dict[str, Lane]:
    clean = Backlog(laboratory, await laboratory.prepare(Filling(events)), events)
    checked = Filling(events, application.REFUSED_BY_CHECK)
    poisoned = Backlog(laboratory, await laboratory.prepare(checked), events, events // 100)
    guarded = Backlog(laboratory, await laboratory.prepare(Filling(events, 0, application.REFUSING_TRIGGER)), events)
    refused = Filling(events, application.REFUSED_BY_TRIGGER, application.REFUSING_TRIGGER)
    guarded_poisoned = Backlog(laboratory, await laboratory.prepare(refused), events, events // 100)
    return {
        "reference": clean.lane(set_based.drain),
        "ours": clean.lane(own.drain, own.connected),
        "poison": poisoned.lane(own.drain, own.connected),
        "trigger_reference": guarded.lane(set_based.drain),
        "trigger": guarded_poisoned.lane(own.drain, own.connected),
        "process": clean.in_process,
        "whole": clean.lane(lambda connection: set_based.drain(connection, limit=events)),
    }


def _picture(events: int, rounds: Rounds) -> Bars:
    def bar(lane: str) -> Bar:
        kind = "reference" if lane.endswith("reference") else "other" if lane == "whole" else "ours"
        return Bar(LABELS[lane], rounds.median(lane), kind, rounds.values[lane])

    note = (
        f"{events:,} sign-ups, one connection, a thousand to a transaction; median of {len(rounds.values['ours'])} rounds (ticks)"
    )
    return Bars("Draining a backlog of sign-ups", note, UNIT, [Group("", [bar(lane) for lane in LABELS])])
