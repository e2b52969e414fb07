"""Others: the same work as jobs of two queue libraries, for information."""

from collections.abc import Awaitable, Callable, Sequence

from bench import application, own
from bench.application import Filling
from bench.drain import Backlog
from bench.laboratory import Laboratory, connected
from bench.picture import Bar, Bars, Group
from bench.reference import triggers
from bench.report import Comparison, Report
from bench.rounds import Lane, Rounds, interleave

NAME = "others"
UNIT = "events/s"

LABELS = {"ours": "pgmend", "pgqueuer": "pgqueuer", "procrastinate": "procrastinate"}

Queue = Callable[[str, Sequence[str]], Awaitable[float]]
"""Takes a database's address and user keys, and returns the seconds that their jobs took."""


async def measure(laboratory: Laboratory) -> Report:
    """Heal 5,000 users by pgmend, by pgqueuer and by procrastinate."""
    # Imported here, because they are installed by ./run bench only, and the other measurements do without.
    from bench.reference import queues  # noqa: PLC0415

    events = laboratory.size(5_000, 200)
    backlog = Backlog(laboratory, await laboratory.prepare(Filling(events)), events)
    plain = await laboratory.prepare(Filling(events, statements=triggers.NO_TRIGGER))
    lanes = {
        "ours": backlog.lane(own.drain, own.connected),
        "pgqueuer": _lane(laboratory, plain, queues.drain_with_pgqueuer),
        "procrastinate": _lane(laboratory, plain, queues.drain_with_procrastinate),
    }
    rounds = await interleave(laboratory.size(3, 1), lanes)
    compare = Comparison(rounds, UNIT)
    figures = [compare.figure(f"drain, against {name}", "ours", name) for name in ("pgqueuer", "procrastinate")]
    return Report(NAME, figures, _picture(events, rounds), rounds.values)


def _lane(laboratory: Laboratory, prepared: str, queue: Queue) -> Lane:
    async def run() -> float:
        async with laboratory.copy(prepared) as url, connected(url) as connection:
            keys = [row[0] for row in await connection.fetch("select id::text from public.users where email like 'user%'")]
            seconds = await queue(url, keys)
            made = await connection.fetchval("select count(*) from public.profiles") - application.CROWD
            if made != len(keys):
                raise AssertionError(f"{made} profiles of {len(keys)}")
        return len(keys) / seconds

    return run


def _picture(events: int, rounds: Rounds) -> Bars:
    bars = [
        Bar(label, rounds.median(name), "ours" if name == "ours" else "other", rounds.values[name])
        for name, label in LABELS.items()
    ]
    note = f"{events:,} users, profile and audit row each; one worker process; median of the rounds (ticks)"
    return Bars("The same work as jobs of a queue library", note, UNIT, [Group("", bars)])
