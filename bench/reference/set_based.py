"""The hand-written drain: one set-based statement for a thousand events, the same work on the same tables."""

from pathlib import Path

from worker.store.connection import Connection

STATEMENT = (Path(__file__).parent / "set_based.sql").read_text(encoding="utf-8")


async def drain(connection: Connection, *, limit: int = 1000) -> int:
    """Settle all events, ``limit`` in a transaction; return how many."""
    settled = 0
    while True:
        batch = int(await connection.fetchval(STATEMENT, limit))
        if not batch:
            return settled
        settled += batch
