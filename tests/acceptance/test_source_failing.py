"""The way out of a broken source that docs/runbook.md shows is one that can be gone: its commands are run, word for word."""

from tests.conftest import StartWorker
from tests.support.broken import CONDITION
from tests.support.database import Database, count, sign_up
from tests.support.process import run_command
from tests.support.walk import Walk, steps
from worker.counting import count as count_integrity
from worker.pipeline import Path, turn
from worker.store.connection import Connection

LATER = "update pgmend.careful_events set available_at = now() + interval '5 minutes'"
ATTACH = ["attach", "--users", "public.users", "--profiles", "public.profiles"]
GUARDED = "select pgmend.guard('public.conversations', 'conversations_admin_id_fkey', mode => 'ensure')"


async def broken(connection: Connection, path: Path, migration: str) -> None:
    """Break the source, and let a sign-up meet that until it has to wait for long."""
    await connection.execute(migration)
    await sign_up(connection)
    await turn(path)
    await connection.execute(LATER)
    await count_integrity(connection)


async def test_broken_condition_is_mended_as_the_runbook_says(database: Database, path: Path, start: StartWorker) -> None:
    """The doctor names it, attaching without the option is refused and with it done, and the user who waited is healed."""
    connection = await database.connect()
    await connection.execute(GUARDED)
    await broken(connection, path, CONDITION)
    walk = Walk(database, database.url, "shop", start)
    *attaching, resuming = steps("runbook.md", "PgmendSourceFailing")
    for step in attaching:
        await walk.take(step)
    await turn(path)
    attached = await count(connection, "public.profiles")
    await broken(connection, path, "alter table public.users rename column removed_at to gone_at")
    await connection.execute("alter table public.users rename column gone_at to removed_at")
    await walk.take(resuming)
    await turn(path)

    assert walk.strayed == []
    assert (len(attaching), attached, await count(connection, "public.profiles")) == (3, 1, 2)


async def test_what_only_the_recipe_reads_makes_dead_letters_to_be_requeued_after_the_mend(
    database: Database, path: Path
) -> None:
    """At the first attempt; attaching names them, resuming leaves them, and the requeue that the runbook shows heals the user."""
    connection = await database.connect()
    await sign_up(connection)
    await connection.execute("alter table public.users rename full_name to called")
    while (await turn(path)).handled:
        pass
    letter = await connection.fetchrow("select verdict, sqlstate, attempts from pgmend.dead_letters")
    await connection.execute("alter table public.users rename called to full_name")
    attach = await run_command(database.url, *ATTACH, "--apply")
    resumed = await run_command(database.url, "resume", "--source", "1")
    lay = await count(connection, "pgmend.dead_letters")
    requeued = await run_command(database.url, "dead-letters", "requeue", "--verdict", "needs_recipe")
    await turn(path)

    assert tuple(letter or ()) == ("needs_recipe", "42703", 1)
    assert "1 dead letter of this source waits for a person: pgmend dead-letters requeue --verdict needs_recipe" in attach[1]
    assert ("dead letter" in resumed[1], lay, requeued[0]) == (False, 1, 0)
    assert await count(connection, "public.profiles") == 1
