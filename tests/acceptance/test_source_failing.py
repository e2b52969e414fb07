"""The way out of a broken source that docs/runbook.md shows is one that can be gone: its commands are run, word for word."""

from tests.conftest import StartWorker
from tests.support.broken import CONDITION
from tests.support.database import Database, count, sign_up
from tests.support.walk import Walk, steps
from worker.counting import count as count_integrity
from worker.pipeline import Path, turn
from worker.store.connection import Connection

LATER = "update pgmend.careful_events set available_at = now() + interval '5 minutes'"
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
