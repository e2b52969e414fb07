"""Replays: a captured insert is run again, with the rights of who wrote it."""

from worker.core.event import Capture
from worker.store.connection import Connection
from worker.store.statements import statement


async def replay(connection: Connection, capture: Capture) -> None:
    """Run the insert under the writer's role and claims, deferred constraints included. Raises what the insert raises."""
    await connection.execute(
        statement("replays/replay"),
        capture.referencing_table,
        capture.constraint_name,
        capture.row_image,
        capture.writer_role,
        capture.writer_claims,
    )


async def stands(connection: Connection, capture: Capture) -> bool:
    """Return whether the captured row is in its table already, value by value."""
    return bool(await connection.fetchval(statement("replays/stands"), capture.referencing_table, capture.row_image))
