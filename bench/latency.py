"""Latency: from the sign-up's commit to the profile's commit, at a steady pace, beside a bare LISTEN loop."""

from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from statistics import quantiles

from bench import application, own
from bench.application import Filling
from bench.laboratory import Laboratory, connected
from bench.picture import Bar, Bars, Group
from bench.reference import triggers
from bench.report import Comparison, Figure, Report, Target
from bench.rounds import Rounds, interleave

NAME = "latency"
UNIT = "ms"
RATE = 100

COMMIT_TO_COMMIT = """
select
    extract(epoch from pg_xact_commit_timestamp(profiles.xmin) - pg_xact_commit_timestamp(users.xmin))::float8 * 1000
from public.users as users
inner join public.profiles as profiles on profiles.id = users.id
where users.email like 'user%'
order by users.created_at
"""
"""Both times are the server's own word about a commit (track_commit_timestamp), on one clock."""

LISTENING = "exists (select from pg_stat_activity where datname = current_database() and query ilike 'listen%')"

Consumer = Callable[[str], AbstractAsyncContextManager[Process]]

LABELS = {"reference": "bare LISTEN loop", "together": "bare loop, one statement", "ours": "pgmend run"}


@dataclass(frozen=True, slots=True)
class Latencies:
    """The middle and the slow end of every round, by lane. Milliseconds."""

    p50: Rounds = field(default_factory=Rounds)
    p99: Rounds = field(default_factory=Rounds)

    def add(self, lane: str, milliseconds: Sequence[float]) -> float:
        """Take in one round without its first tenth, in which caches fill; return the p50."""
        percentiles = quantiles(milliseconds[len(milliseconds) // 10 :], n=100)
        self.p99.values.setdefault(lane, []).append(percentiles[98])
        return percentiles[49]


async def measure(laboratory: Laboratory) -> Report:
    """Sign 100 users up in a second for ten seconds, and again, before each of the consumers in turn."""
    ours = await laboratory.prepare(Filling())
    plain = await laboratory.prepare(Filling(statements=triggers.OUTBOX_NOTIFY))
    found = Latencies()

    def lane(name: str, prepared: str, consumer: Consumer) -> Callable[[], Awaitable[float]]:
        async def run() -> float:
            async with laboratory.copy(prepared) as url, consumer(url) as process:
                return found.add(name, await _round(url, process, laboratory.size(10, 1)))

        return run

    lanes = {
        "reference": lane("reference", plain, _bare_loop),
        "together": lane("together", plain, _bare_loop_together),
        "ours": lane("ours", ours, own.worker),
    }
    found.p50.values.update((await interleave(laboratory.size(7, 1), lanes)).values)
    values = {f"{name} p50": found.p50.values[name] for name in lanes} | {f"{name} p99": found.p99.values[name] for name in lanes}
    return Report(NAME, _figures(found), _picture(found), values)


@asynccontextmanager
async def _bare_loop(url: str, *options: str) -> AsyncIterator[Process]:
    async with own.process("-m", "bench.reference.bare_loop", url, *options) as process, connected(url) as connection:
        await own.until(connection, LISTENING, process)
        yield process


def _bare_loop_together(url: str) -> AbstractAsyncContextManager[Process]:
    return _bare_loop(url, "together")


async def _round(url: str, consumer: Process, seconds: int) -> list[float]:
    """Return the milliseconds from commit to commit of every sign-up of one round."""
    async with own.process("-m", "bench.pacing", url, str(RATE), str(seconds)) as pacing, connected(url) as connection:
        await pacing.wait()
        await own.until(connection, f"count(*) = {application.CROWD + RATE * seconds} from public.profiles", consumer)
        rows = await connection.fetch(COMMIT_TO_COMMIT)
    return [row[0] for row in rows]


def _figures(found: Latencies) -> list[Figure]:
    p50, p99 = Comparison(found.p50, UNIT), Comparison(found.p99, UNIT)
    return [
        p50.figure("latency p50", "ours", "reference", Target(1.2, at_most=True)),
        p99.figure("latency p99", "ours", "reference"),
        p50.figure("latency p50, against one statement", "ours", "together"),
        p99.figure("latency p99, against one statement", "ours", "together"),
    ]


def _picture(found: Latencies) -> Bars:
    def group(heading: str, rounds: Rounds) -> Group:
        kinds = {"ours": "ours", "reference": "reference"}
        bars = [Bar(label, rounds.median(name), kinds.get(name, "other"), rounds.values[name]) for name, label in LABELS.items()]
        return Group(heading, bars)

    note = f"{RATE} sign-ups/s; commit of the sign-up to commit of the profile; median of the rounds (ticks)"
    return Bars("From sign-up to profile", note, UNIT, [group("p50", found.p50), group("p99", found.p99)])
