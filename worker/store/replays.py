"""Replays: a captured insert is run again, with the rights of who wrote it."""

from worker.core.event import Capture
from worker.store.connection import Connection
from worker.store.statements import statement


async def replay(connection: Connection, capture: Capture) -> None:
    """Run the insert under the writer's role and claims, deferred constraints included. Raises what the insert raises."""
    await connection.execute(statement("replays/replay"), *_arguments(capture))


async def stands(connection: Connection, capture: Capture) -> bool:
    """Return whether the captured row is in its table already, value by value, as far as the writer can see."""
    return bool(await connection.fetchval(statement("replays/stands"), *_arguments(capture)))


async def prepared(connection: Connection) -> int:
    """Return a number that says which statements are prepared in this session; asked for by a query that is not one of them."""
    status = await connection.execute(statement("replays/prepared"))
    return int(status.rpartition(" ")[2])


def _arguments(capture: Capture) -> tuple[int, str | None, str, str, str | None]:
    return (
        capture.referencing_oid,
        capture.constraint_name,
        capture.row_image,
        capture.writer_role,
        capture.writer_claims,
    )
