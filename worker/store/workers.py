"""Who is at work: one row a worker, renewed at every heartbeat."""

from dataclasses import dataclass

from worker.store.connection import Connection
from worker.store.statements import statement


@dataclass(frozen=True, slots=True)
class Identity:
    """A worker's name among the others."""

    worker_id: str
    host: str
    pid: int
    version: str


async def seen(connection: Connection, identity: Identity, *, listening: bool) -> None:
    """Renew the worker's row."""
    await connection.execute(
        statement("workers/seen"), identity.worker_id, identity.host, identity.pid, identity.version, listening
    )


async def gone(connection: Connection, identity: Identity) -> None:
    """Remove the worker's row, and those of workers long dead."""
    await connection.execute(statement("workers/gone"), identity.worker_id)


async def last_seen(connection: Connection, host: str | None) -> float | None:
    """Return the seconds since a worker on ``host`` (None: on any) was seen; None when there is none."""
    value = await connection.fetchval(statement("workers/last_seen"), host)
    return None if value is None else float(value)
