"""Retention: letting go what was kept long enough, a batch at a time; each returns how many rows went."""

from worker.store.connection import Connection
from worker.store.statements import statement


async def lock(connection: Connection) -> bool:
    """Try to be the only one who prunes until the transaction ends; return whether that is so."""
    return bool(await connection.fetchval(statement("retention/lock")))


async def expire_captured_rows(connection: Connection, *, most: int, days: float) -> int:
    """Let captured rows go, waiting or dead; the audit keeps that it was done."""
    return int(await connection.fetchval(statement("retention/expire_captured_rows"), most, days))


async def expire_dead_letters(connection: Connection, *, most: int, days: float) -> int:
    """Let dead letters of sign-ups go; the audit keeps that it was done."""
    return int(await connection.fetchval(statement("retention/expire_dead_letters"), most, days))


async def expire_audit_entries(connection: Connection, *, most: int, days: float) -> int:
    """Delete the oldest audit entries of the types that pgmend writes."""
    return int(await connection.fetchval(statement("retention/expire_audit_entries"), most, days))


async def sources(connection: Connection) -> list[int]:
    """Return the ids of the profile sources."""
    return [row["source_id"] for row in await connection.fetch(statement("retention/sources"))]


async def drop_erased(connection: Connection, source_id: int, *, after: int, most: int) -> tuple[int, int]:
    """Look at the next events of a source; return the last id looked at (0: there is nothing after it), and how many went."""
    (row,) = await connection.fetch(statement("retention/drop_erased"), source_id, after, most)
    return row["last_event"] if row["looked"] >= most else 0, row["dropped"]
