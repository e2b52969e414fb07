"""The performance: from an empty database to the result, top to bottom."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from demo import figures, invariants
from demo.incidents import Timing, admin_appears, workers_are_killed
from demo.integrity import integrity
from demo.ledger import Ledger
from demo.options import Options
from demo.plan import make_plan
from demo.result import Result
from demo.sample import Sample
from demo.stage import Stage
from demo.statements import statement
from demo.storm import Storm
from demo.view import View
from demo.workers import Workers
from worker.store.connection import Connection, close, connect

_SECONDS_BETWEEN_SAMPLES = 0.2


async def perform(options: Options, stage: Stage, workers: Workers, view: View) -> Result:
    """Play the storm on a stage that is set up, with workers that are starting, and count."""
    started = time.perf_counter()
    storm = Storm(stage.target, make_plan(options.users, options.seed), Ledger())
    connection = await connect(stage.target)
    try:
        await workers.ready(connection)
        async with _watched(storm, stage, workers, view):
            view.phase(f"storm: {options.users:,} sign-ups")
            await _play(storm, stage, workers, view, random.Random(options.seed))
            view.phase("integrity: waiting until nothing is left to be put right")
            left_over = await integrity(connection, workers, options.users)
        view.phase("invariants: comparing what was promised with what is there")
        await storm.ledger.write_down(connection)
        verdicts = await invariants.check(connection)
        measured = await figures.measure(connection, sign_ups=storm.signed_up, storm_seconds=storm.seconds)
        return Result(options.seed, stage.server, time.perf_counter() - started, verdicts, measured, left_over)
    finally:
        await close(connection)


async def _play(storm: Storm, stage: Stage, workers: Workers, view: View, rng: random.Random) -> None:
    timing = Timing.choose(rng)
    async with asyncio.TaskGroup() as group:
        group.create_task(storm.play())
        group.create_task(admin_appears(storm, timing.admin, stage.target, storm.ledger, view))
        group.create_task(workers_are_killed(storm, timing, workers, view))


@asynccontextmanager
async def _watched(storm: Storm, stage: Stage, workers: Workers, view: View) -> AsyncIterator[None]:
    """Show where everything stands for the length of the block, and once more at its end."""
    connection = await connect(stage.target)
    watching = asyncio.ensure_future(_watch(connection, storm, workers, view))
    try:
        yield
        await asyncio.sleep(_SECONDS_BETWEEN_SAMPLES * 1.5)  # one more sample, of how it came out
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await close(connection)


async def _watch(connection: Connection, storm: Storm, workers: Workers, view: View) -> None:
    while True:
        view.show(await _sample(connection, storm, workers))
        await asyncio.sleep(_SECONDS_BETWEEN_SAMPLES)


async def _sample(connection: Connection, storm: Storm, workers: Workers) -> Sample:
    row = await connection.fetchrow(statement("figures/sample"))
    assert row is not None  # an aggregate without group by always returns a row
    planned = sum(customer.sign_up == "commits" for customer in storm.plan)
    return Sample(planned, storm.signed_up, **dict(row), workers=workers.pids)
