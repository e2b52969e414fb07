"""The acts: from the key that cannot be added, over the five commands, to a database that is what it was."""

import asyncio

import asyncpg

from demo.orphans import proof
from demo.orphans.result import TableSums
from demo.orphans.running import OfBlocks
from demo.orphans.scene import Scene
from demo.orphans.wishes import REFERENCES, REPAIR_ID, constraining, constraining_one, repairing
from demo.statements import statement
from worker.commands.surveying import FOUND_SOMETHING
from worker.errors import ReferenceRefusedError, RestoreRefusedError

_LOCK_TIMEOUT = "set local lock_timeout = '200ms'"
_MOST_ATTEMPTS = 100
_PAUSE_SECONDS = 0.2


async def fail(scene: Scene) -> None:
    """Try to add the key, as our user's first document does."""
    scene.begin("fail", "the key that cannot be added")
    text = _typed("add_key")
    scene.narrator.command(f"{text};", "=>")
    try:
        await scene.connection.execute(text)
    except asyncpg.ForeignKeyViolationError as error:
        scene.narrator.line(f"ERROR:  {error.sqlstate}: {error.args[0]}")
        scene.narrator.line(f"DETAIL:  {error.detail}")


async def diagnose(scene: Scene) -> None:
    """Ask how many there are, and why."""
    scene.begin("diagnose", "how many there are, since when, and why each is one")
    shown = OfBlocks("users", "reference", "leads.user_id", "reasons", *map(str, range(1, 10)))
    await scene.pgmend.run(["diagnose", "--sample", "1"], expected=FOUND_SOMETHING, keep=shown)


async def repair(scene: Scene) -> None:
    """Print the plan, and carry it out."""
    scene.begin("repair", "a plan for each reason first, then batch by batch")
    words = repairing(scene.shop.system_user)
    plan = await scene.pgmend.run(words)
    planned = set(plan.lines)
    scene.narrator.say("")
    shown = "pgmend repair --apply …  (and the same options)"
    await scene.pgmend.run([*words, "--apply"], keep=lambda line: line not in planned, shown=shown)


async def constrain(scene: Scene) -> None:
    """Make the keys; the column of text has to become one of uuids first."""
    scene.begin("constrain", "keys NOT VALID in an instant, then validated, with their indexes")
    await scene.pgmend.run(constraining_one(REFERENCES[4]), expected=ReferenceRefusedError.exit_code, keep=_refusal)
    scene.narrator.say("\nNothing malformed is left in leads, so its column can have the type of the key that it refers to:")
    await _with_patience(scene, _typed("leads_take_uuid"))
    scene.narrator.say("")
    await scene.pgmend.run(constraining_one(REFERENCES[2]))
    scene.narrator.say("")
    await scene.pgmend.run([*constraining(), "--apply"], keep=lambda line: not line.startswith("  note:"))


async def verify(scene: Scene) -> None:
    """Ask whether it holds."""
    scene.begin("verify", "no orphan, every key there and valid, every user a profile")
    await scene.pgmend.run(["verify"])


async def prove(scene: Scene) -> list[TableSums]:
    """Compare every row that was no orphan with what it was, and count."""
    scene.begin("proof", "nothing but orphans has changed, and no row is lost")
    sums = await proof.checksums(scene.connection)
    heading = ("table", "rows that were no orphans", "checksum before", "and now")
    scene.narrator.table([heading, *((it.table, f"{it.others:,}", it.others_before[:16], it.others_now[:16]) for it in sums)])
    scene.narrator.say(f"\n{await proof.conservation(scene.connection)}")
    return sums


async def restore(scene: Scene) -> list[TableSums]:
    """Be refused while the keys stand, take them off, and bring everything back."""
    scene.begin("restore", "all of it goes back to what it was, unless the present stands against it")
    key = await scene.connection.fetchval(statement("orphans/one_key"))
    await scene.pgmend.run(["restore", REPAIR_ID, "--key", key or "none"], expected=RestoreRefusedError.exit_code)
    scene.narrator.say("\nThe keys stand, and hold. Who wants the orphans back takes them off first:")
    text = _typed("keys_off")
    scene.narrator.command(f"{text};", "=>")
    await scene.connection.execute(text)
    scene.narrator.say("")
    await scene.pgmend.run(["restore", REPAIR_ID])
    scene.narrator.say("")
    sums = await proof.checksums(scene.connection)
    heading = ("table", "rows, orphans included", "checksum at the beginning", "and now")
    scene.narrator.table([heading, *((it.table, f"{it.rows:,}", it.all_before[:16], it.all_now[:16]) for it in sums)])
    scene.narrator.say("\nProfiles that were healed stay, and are left out here: their users are there, and entitled to them.")
    return sums


async def _with_patience(scene: Scene, text: str) -> None:
    """Run a statement that locks a table, again and again rather than have the application wait for it."""
    scene.narrator.command(f"begin;\n{_LOCK_TIMEOUT};\n{text};\ncommit;", "=>")
    for attempt in range(1, _MOST_ATTEMPTS + 1):
        try:
            async with scene.connection.transaction():
                await scene.connection.execute(_LOCK_TIMEOUT)
                await scene.connection.execute(text)
        except asyncpg.LockNotAvailableError:
            if attempt == _MOST_ATTEMPTS:
                raise
            await asyncio.sleep(_PAUSE_SECONDS)
        else:
            return


def _typed(name: str) -> str:
    """Return a statement as a person types it, without the comment of its file."""
    lines = statement(f"orphans/{name}").splitlines()
    return "\n".join(line for line in lines if not line.startswith("--"))


def _refusal(line: str) -> bool:
    return line.startswith("pgmend:")
