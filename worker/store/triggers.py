"""Triggers of the application: which an insert fires."""

from worker.core.dead_letter import DeadLetter
from worker.core.raised import FiringTrigger
from worker.store.connection import Connection
from worker.store.statements import statement


async def firing(connection: Connection, source_id: int, table: str | None = None) -> tuple[FiringTrigger, ...]:
    """Return the triggers that an insert into a table fires, or (None) into the profiles table of a source."""
    rows = await connection.fetch(statement("triggers/firing"), source_id, table)
    return tuple(FiringTrigger(**dict(row)) for row in rows)


async def behind(connection: Connection, letter: DeadLetter) -> tuple[FiringTrigger, ...]:
    """Return the triggers that may have refused a dead letter; none where a constraint or column is known to have."""
    return await firing(connection, letter.source_id, letter.refused_table) if letter.is_nameless else ()
