"""Locks: how long a statement waits for one, and who keeps it waiting."""

from worker.core.blocker import Blocker
from worker.store.connection import Connection
from worker.store.statements import statement


async def limit(connection: Connection, *, lock_milliseconds: int, statement_milliseconds: int = 0) -> None:
    """Limit the statements until the end of the transaction. 0 is without limit."""
    await connection.execute(statement("locks/limit"), f"{lock_milliseconds}ms", f"{statement_milliseconds}ms")


async def unlimit(connection: Connection) -> None:
    """Let what runs outside a transaction wait as long as it takes."""
    await connection.execute(statement("locks/unlimit"))


async def blockers(connection: Connection, pid: int) -> list[Blocker]:
    """Return who keeps a backend waiting."""
    return [Blocker(**dict(row)) for row in await connection.fetch(statement("locks/blockers"), pid)]


async def deadlock_timeout(connection: Connection) -> int:
    """Return after how many milliseconds of waiting the server looks for a deadlock."""
    return int(await connection.fetchval(statement("locks/deadlock_timeout")))
