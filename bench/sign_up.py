"""Sign-up rate: what the application's writers pay, beside other ways to notice a sign-up."""

import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from bench import own, pgbench
from bench.application import Filling
from bench.laboratory import Laboratory, connected
from bench.picture import Bar, Bars, Group
from bench.reference import triggers
from bench.report import Comparison, Figure, Report, Target
from bench.rounds import Lane, Rounds, interleave

NAME = "sign_up"
UNIT = "sign-ups/s"
WRITERS = (1, 8, 32)
SCRIPT = "insert into public.users (email, full_name) values ('ada@example.org', 'Ada Lovelace');\n"
LEASE_FOR_EVER = "select setval('pgmend.doorbell_lease', 9000000000000000)"

Company = Callable[[str], AbstractAsyncContextManager[object]]
"""Who else is connected while the writers write, given the database's address."""


@asynccontextmanager
async def _lease_held(url: str) -> AsyncIterator[None]:
    async with connected(url) as connection:
        await connection.execute(LEASE_FOR_EVER)
    yield


@asynccontextmanager
async def _listening(url: str) -> AsyncIterator[None]:
    async with connected(url) as connection:
        await connection.add_listener(triggers.OUTBOX_CHANNEL, lambda *_arguments: None)
        yield


@dataclass(frozen=True, slots=True)
class Way:
    """One way to notice a sign-up: what stands in the database, and who is connected."""

    label: str
    statements: str = ""
    company: Company = lambda _url: nullcontext()
    kind: str = "other"


WAYS = {
    "bare": Way("no trigger", triggers.NO_TRIGGER),
    "inline": Way("profile made in the trigger", triggers.INLINE_PROFILE),
    "outbox": Way("outbox only", triggers.OUTBOX, kind="reference"),
    "notify": Way("outbox + NOTIFY each", triggers.OUTBOX_NOTIFY, _listening),
    "held": Way("pgmend, lease held", company=_lease_held, kind="ours"),
    "worker": Way("pgmend, worker healing beside", company=own.worker, kind="ours"),
}


async def measure(laboratory: Laboratory) -> Report:
    """Let 1, 8 and 32 writers sign users up as fast as they can, each of the ways in turn."""
    prepared = {name: await laboratory.prepare(Filling(statements=way.statements)) for name, way in WAYS.items()}
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "sign_up.sql"
        script.write_text(SCRIPT)
        lanes: dict[str, Lane] = {
            f"{name}, {writers}": _lane(
                laboratory, prepared[name], way.company, pgbench.command(laboratory, writers=writers, script=script)
            )
            for writers in WRITERS
            for name, way in WAYS.items()
        }
        rounds = await interleave(laboratory.size(9, 1), lanes)
    return Report(NAME, _figures(rounds), _picture(rounds), rounds.values)


def _lane(laboratory: Laboratory, prepared: str, company: Company, command: list[str]) -> Lane:
    async def run() -> float:
        async with laboratory.copy(prepared) as url, company(url):
            return await pgbench.rate([*command, url])

    return run


def _figures(rounds: Rounds) -> list[Figure]:
    compare = Comparison(rounds, UNIT)
    figures = []
    for writers in WRITERS:
        target = Target(0.9) if writers == max(WRITERS) else None
        plural = "writer" if writers == 1 else "writers"
        figures.append(
            compare.figure(f"sign-ups, {writers} {plural}, lease held", f"held, {writers}", f"outbox, {writers}", target)
        )
        for other in ("bare", "inline", "notify"):
            name = f"sign-ups, {writers} {plural}, against {WAYS[other].label}"
            figures.append(compare.figure(name, f"held, {writers}", f"{other}, {writers}"))
        name = f"sign-ups, {writers} {plural}, worker healing beside"
        figures.append(compare.figure(name, f"worker, {writers}", f"outbox, {writers}"))
    return figures


def _picture(rounds: Rounds) -> Bars:
    def bar(name: str, writers: int) -> Bar:
        lane = f"{name}, {writers}"
        return Bar(WAYS[name].label, rounds.median(lane), WAYS[name].kind, rounds.values[lane])

    groups = [
        Group(f"{writers} writer{'s' if writers > 1 else ''}", [bar(name, writers) for name in WAYS]) for writers in WRITERS
    ]
    return Bars(
        "What a sign-up costs its writer", "pgbench, one insert a transaction; median of the rounds (ticks)", UNIT, groups
    )
