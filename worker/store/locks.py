"""Locks: how long a statement waits for one, who keeps it waiting, and coming again."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import asyncpg

from worker.core.blocker import Blocker
from worker.errors import LockNotGrantedError
from worker.store.connection import Connection
from worker.store.statements import statement

T = TypeVar("T")

NOT_GRANTED = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError)
"""What a statement fails with when somebody else holds what it needs."""

PAUSES_SECONDS = (0.1, 0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Between the tries to get the locks. In these pauses nobody waits for us."""


async def patiently(connection: Connection, act: Callable[[], Awaitable[T]], pauses: Sequence[float] = PAUSES_SECONDS) -> T:
    """Do something in one transaction, and all of it again after each pause while somebody else holds a lock.

    Raises LockNotGrantedError after the last try; nothing is changed then.
    """
    for pause in pauses:
        try:
            return await _whole(connection, act)
        except NOT_GRANTED:
            await asyncio.sleep(pause)
    try:
        return await _whole(connection, act)
    except NOT_GRANTED as error:
        raise LockNotGrantedError(
            "a table is locked by somebody else",
            detail=f"tried {len(pauses) + 1} times",
            hint="nothing was changed; look for long transactions in pg_stat_activity, or try again in a quiet moment",
        ) from error


async def limit(connection: Connection, *, lock_milliseconds: int, statement_milliseconds: int = 0) -> None:
    """Limit the statements until the end of the transaction. 0 is without limit."""
    await connection.execute(statement("locks/limit"), f"{lock_milliseconds}ms", f"{statement_milliseconds}ms")


async def unlimit(connection: Connection) -> None:
    """Let what runs outside a transaction wait as long as it takes."""
    await connection.execute(statement("locks/unlimit"))


async def blockers(connection: Connection, pid: int) -> list[Blocker]:
    """Return who keeps a backend waiting."""
    return [Blocker(**dict(row)) for row in await connection.fetch(statement("locks/blockers"), pid)]


async def builders(connection: Connection, index: str) -> list[Blocker]:
    """Return who builds an index, and who keeps them waiting."""
    return [Blocker(**dict(row)) for row in await connection.fetch(statement("locks/builders"), index)]


async def deadlock_timeout(connection: Connection) -> int:
    """Return after how many milliseconds of waiting the server looks for a deadlock."""
    return int(await connection.fetchval(statement("locks/deadlock_timeout")))


async def _whole(connection: Connection, act: Callable[[], Awaitable[T]]) -> T:
    async with connection.transaction():
        return await act()
