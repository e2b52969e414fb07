"""The application beside the work: at it for the length of a block, watched, and asked in the end how it fared."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from demo.orphans.application import Application, writing
from demo.orphans.narrator import Narrator
from demo.orphans.scene import Scene
from demo.orphans.wishes import REPAIR_ID
from demo.stage import Stage
from worker.commands.repair_view import progress_line
from worker.core.wording import counted
from worker.repair_run import Progress
from worker.store import repairs
from worker.store.connection import Connection, close, connect

_SECONDS_BETWEEN_LOOKS = 0.2


@asynccontextmanager
async def beside(scene: Scene, stage: Stage, seed: int) -> AsyncIterator[Application]:
    """Have the application write for the length of the block, and say in the end how it fared."""
    async with writing(stage.target, scene.connection, seed) as application:
        watching = asyncio.ensure_future(_watch(application, stage, scene.narrator))
        try:
            yield application
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
    scene.narrator.say(f"\n{_fared(application)}")


async def _watch(application: Application, stage: Stage, narrator: Narrator) -> None:
    """Show again and again how far the repair is, or how the application fares."""
    connection = await connect(stage.target)
    since: dict[int, float] = {}
    try:
        while True:
            narrator.doing(await _progress(connection, since) or _fared(application))
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
    finally:
        await close(connection)


async def _progress(connection: Connection, since: dict[int, float]) -> str | None:
    """Return the line that the command itself would draw; ``since``: when each step was first seen."""
    steps = await repairs.steps(connection, int(REPAIR_ID))
    step = next((step for step in steps if step.state == "working"), None)
    if step is None:
        return None
    seconds = time.monotonic() - since.setdefault(step.step_id, time.monotonic())
    return progress_line(Progress(step, step.rows_done, step.rows_done, seconds))


def _fared(application: Application) -> str:
    return f"The application meanwhile: {application.statements:,} statements, {counted(application.errors, 'error')}"
