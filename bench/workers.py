"""Workers: one backlog of sign-ups drained by one, two and four worker processes on the same database."""

from contextlib import AsyncExitStack

from bench import application, own
from bench.application import Filling
from bench.laboratory import Laboratory, connected
from bench.picture import Bar, Bars, Group
from bench.report import Comparison, Report
from bench.rounds import Lane, Rounds, interleave

NAME = "workers"
UNIT = "events/s"

LABELS = {"one": "one worker", "two": "two workers", "four": "four workers"}


async def measure(laboratory: Laboratory) -> Report:
    """Let 50,000 sign-ups commit at once before workers that listen, and take the time between the first and last healing."""
    events = laboratory.size(50_000, 2_000)
    prepared = await laboratory.prepare(Filling())
    lanes = {name: _lane(laboratory, prepared, events, number) for name, number in (("one", 1), ("two", 2), ("four", 4))}
    rounds = await interleave(laboratory.size(5, 1), lanes)
    compare = Comparison(rounds, UNIT)
    figures = (
        compare.figure("two workers, against one", "two", "one"),
        compare.figure("four workers, against one", "four", "one"),
    )
    return Report(NAME, figures, _picture(events, rounds), rounds.values)


def _lane(laboratory: Laboratory, prepared: str, events: int, number: int) -> Lane:
    async def run() -> float:
        async with laboratory.copy(prepared) as url, AsyncExitStack() as running, connected(url) as connection:
            workers = [await running.enter_async_context(own.worker(url)) for _ in range(number)]
            await connection.execute(application.SIGN_UPS, events, 0)
            await own.until(connection, "not exists (select from pgmend.outbox)", workers[0])
            seconds, settled = await own.commits(connection)
        return settled / seconds

    return run


def _picture(events: int, rounds: Rounds) -> Bars:
    bars = [Bar(label, rounds.median(lane), "ours", rounds.values[lane]) for lane, label in LABELS.items()]
    return Bars("Workers side by side", f"{events:,} sign-ups on one database; ticks are rounds", UNIT, [Group("", bars)])
