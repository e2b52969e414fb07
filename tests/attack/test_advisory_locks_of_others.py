"""The careful lane passes over a user who is being handled, and over no other."""

from tests.support.database import Database, count, sign_up
from tests.support.workload import report_order
from worker import pipeline
from worker.pipeline import Path
from worker.store.connection import Connection


async def test_user_whose_lock_is_held_keeps_nobody_else_waiting(connection: Connection, database: Database, path: Path) -> None:
    """A hundred due events of a user whom somebody has locked are not the whole of what a claim looks at."""
    locked, other = await sign_up(connection, "locked@x"), await sign_up(connection, "other@x")
    for _ in range(path.careful_limit):
        await report_order(connection, locked)
    await report_order(connection, other)
    stranger = await database.connect()
    await stranger.execute("select pg_advisory_lock(hashtextextended(format('pgmend.user 1 %s', $1::text), 0))", locked)

    for _ in range(3):
        await pipeline.turn(path)

    assert await count(connection, "public.orders where user_id = $1", other) == 1
