"""The story, top to bottom: a database full of orphans, repaired beside a writing application, proven, and brought back."""

import time
from pathlib import Path

from demo import invariants
from demo.options import Options
from demo.orphans import acts
from demo.orphans.application import Application
from demo.orphans.beside import beside
from demo.orphans.narrator import Narrator, make_narrator
from demo.orphans.result import Result, TableSums
from demo.orphans.running import Pgmend
from demo.orphans.scene import Scene
from demo.orphans.shop import connected, open_shop
from demo.stage import Stage
from worker.store.connection import close

INVARIANTS = ("orphans/repaired", "orphans/restored")
"""Those that hold once the keys stand, and those that hold once all is as it was."""


async def tell(options: Options, stage: Stage, folder: Path) -> Result:
    """Tell the story on a fresh database, and return how it came out."""
    narrator = make_narrator()
    try:
        result = await _tell_to(narrator, options, stage, folder)
        narrator.result(result)
    finally:
        narrator.end()
    return result


async def _tell_to(narrator: Narrator, options: Options, stage: Stage, folder: Path) -> Result:
    started = time.perf_counter()
    narrator.begin(f"pgmend demo: orphans among {options.rows:,} rows on {stage.server}, seed {options.seed}")
    narrator.act("stage: installing pgmend, and the sample application without its keys")
    shop = await open_shop(stage, folder, rows=options.rows, seed=options.seed)
    narrator.say(f"{shop.rows:,} rows in six tables, and among them {shop.orphans:,} orphans of {len(shop.reasons)} kinds")
    connection = await connected(stage)
    try:
        scene = Scene(connection, Pgmend(stage.url, folder, narrator), narrator, shop)
        await acts.fail(scene)
        application = await mend(scene, stage, options.seed)
        repaired = await acts.prove(scene)
        verdicts = await invariants.check(connection, INVARIANTS[0])
        restored = await unmend(scene)
        verdicts += await invariants.check(connection, INVARIANTS[1])
    finally:
        await close(connection)
    return Result(
        seed=options.seed,
        server=stage.server,
        shop=shop,
        seconds=time.perf_counter() - started,
        times=scene.times,
        verdicts=verdicts,
        repaired=repaired,
        restored=restored,
        commands=scene.pgmend.ran,
        application=application.as_json(),
    )


async def mend(scene: Scene, stage: Stage, seed: int) -> Application:
    """Go from orphans to keys that hold, while the application writes; return how that fared, written down."""
    async with beside(scene, stage, seed) as application:
        await acts.diagnose(scene)
        await acts.repair(scene)
        await acts.constrain(scene)
        await acts.verify(scene)
    await application.write_down(scene.connection)
    return application


async def unmend(scene: Scene) -> list[TableSums]:
    """Bring everything back; return the checksums. How each command has ended is written down."""
    restored = await acts.restore(scene)
    scene.finish()
    records = [(ran.command, ran.expected, ran.status) for ran in scene.pgmend.ran]
    await scene.connection.copy_records_to_table("commands_run", schema_name="demo", records=records)
    return restored
