"""The careful lane passes over a user who is being handled, and over no other."""

from tests.support.database import Database, count, sign_up
from tests.support.workload import report_order
from worker import pipeline
from worker.pipeline import Path
from worker.store import outbox
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


async def test_claim_locks_no_more_users_than_it_takes_events(connection: Connection, path: Path) -> None:
    """However many events are due, and whatever the statistics say of them: locks are counted for the whole server."""
    await connection.execute("analyze pgmend.careful_events")
    await connection.execute(
        """
        insert into pgmend.careful_events (source_id, kind, user_key, available_at)
        select 1, 'user_created', n::text, now() - interval '1 minute' - n * interval '1 ms' from generate_series(1, 5000) as n
        """
    )
    for _ in range(8):  # the last with a generic plan
        async with path.connection.transaction():
            claimed = await outbox.claim(path.connection, limit=path.careful_limit)
            locks = await count(path.connection, "pg_locks where locktype = 'advisory' and pid = pg_backend_pid()")

            assert (len(claimed), locks) == (path.careful_limit, path.careful_limit)
