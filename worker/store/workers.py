"""Who is at work: one row a worker, renewed at every heartbeat."""

from dataclasses import dataclass

from worker.core.last_seen import LastSeen
from worker.store.connection import Connection
from worker.store.statements import statement


@dataclass(frozen=True, slots=True)
class Identity:
    """A worker's name among the others."""

    worker_id: str
    host: str
    pid: int
    version: str


async def seen(connection: Connection, identity: Identity, *, listening: bool, silent_after: float = 20.0) -> None:
    """Renew the worker's row; ``silent_after`` so many seconds without another sign it is to be taken for dead."""
    given = identity.worker_id, identity.host, identity.pid, identity.version, listening, silent_after
    await connection.execute(statement("workers/seen"), *given)


async def gone(connection: Connection, identity: Identity) -> None:
    """Say that the worker has stopped, and forget those of before."""
    await connection.execute(statement("workers/gone"), identity.worker_id, identity.host)


async def last_seen(connection: Connection, host: str | None) -> LastSeen:
    """Return when a worker on ``host`` (None: on any) was heard of last."""
    (row,) = await connection.fetch(statement("workers/last_seen"), host)
    return LastSeen(**dict(row))
