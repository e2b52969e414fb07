"""A reader: asks the database one question at a time, on a connection of its own that is opened when it is needed."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from worker.store.connection import SERVER_FIRST_SECONDS, Connection, Target, close, connect, limit_statements

Answer = TypeVar("Answer")


class Reader:
    """Answers within so many seconds, or raises; the next question finds a new connection."""

    def __init__(self, target: Target, *, statement_seconds: float) -> None:
        """Connect nowhere yet."""
        self._target = target
        self._seconds = statement_seconds
        self._connection: Connection | None = None
        self._one_at_a_time = asyncio.Lock()

    async def ask(self, question: Callable[[Connection], Awaitable[Answer]]) -> Answer:
        """Ask. Raises PgmendError, asyncpg.PostgresError, or one of those that say that the connection is lost."""
        async with self._one_at_a_time:
            if self._connection is None or self._connection.is_closed():
                self._connection = await connect(self._target)
            try:
                async with asyncio.timeout(self._seconds + SERVER_FIRST_SECONDS):
                    transaction = self._connection.transaction()
                    await transaction.start()
                    # For this transaction alone: behind a pooler the session is also the worker's.
                    await limit_statements(self._connection, seconds=self._seconds)
                    answer = await question(self._connection)
                    await transaction.commit()
                    return answer
            except BaseException:
                # Whatever it was, the connection may be in the middle of it; to wait for a rollback might take long.
                self._connection.terminate()
                raise

    async def close(self) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None and not self._connection.is_closed():
            await close(self._connection, within=0.5)
