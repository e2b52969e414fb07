"""The doorbell: a channel without payload, and a lease that says that a worker is awake."""

from worker.store.connection import Connection
from worker.store.statements import statement

CHANNEL = "pgmend"


async def extend_lease(connection: Connection, *, seconds: float) -> None:
    """Say that a worker is awake for the next ``seconds``: nobody rings."""
    await connection.execute(statement("doorbell/extend_lease"), seconds)


async def clear_lease(connection: Connection) -> int:
    """Say that this worker is no longer awake; return the mark: who may have relied on it has a transaction id below."""
    await connection.execute(statement("doorbell/clear_lease"))
    return int(await connection.fetchval(statement("doorbell/mark")))


async def end_lease(connection: Connection) -> None:
    """Say that all sleep, unless another worker has spoken since: every transaction below the mark has ended."""
    await connection.execute(statement("doorbell/end_lease"))


async def oldest_running(connection: Connection) -> int:
    """Return the oldest transaction id that still runs."""
    return int(await connection.fetchval(statement("doorbell/oldest_running")))


async def lease_left(connection: Connection) -> float | None:
    """Return the seconds that the lease has left: None when all is well without one, not positive when its worker is gone."""
    left: float | None = await connection.fetchval(statement("doorbell/lease_left"))
    return left


async def ring(connection: Connection, payload: str = "") -> None:
    """Ring by hand."""
    await connection.execute(statement("doorbell/ring"), payload)
