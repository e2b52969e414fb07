"""The reader: one connection for all who look, opened when it is needed; short statements, and an answer in bounded time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Literal, TypeVar

import asyncpg

from worker.errors import PgmendError
from worker.log import redacted
from worker.store.connection import Connection, Target, close, connect, explained, is_lost, limit_statements

T = TypeVar("T")
Isolation = Literal["repeatable_read", "read_committed"]

_WAITING_SECONDS = 3.0
_LOCK_SECONDS = 0.5
_SILENT_SECONDS = 1.0


class UnavailableError(Exception):
    """There is no answer: ``what`` is wrong in a few words, the reason, and what helps where that is known; for a person."""

    def __init__(self, what: str, reason: str, hint: str = "") -> None:
        super().__init__(f"{what}: {reason}")
        self.what = what
        self.reason = reason
        self.hint = hint


_SILENT, _SLOW, _REFUSES = "The database does not answer", "The answer takes too long", "The database refuses to answer"


@dataclass(slots=True)
class Reader:
    """``timeout``: seconds that a statement may take. Questions wait for each other: any number of tabs is one reader."""

    target: Target
    timeout: float = 2.0
    _connection: Connection | None = field(default=None, init=False)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)
    _silent: tuple[float, PgmendError] | None = field(default=None, init=False)

    async def ask(self, question: Callable[[Connection], Awaitable[T]]) -> T:
        """Answer one question in a read-only transaction, or raise UnavailableError. A lost connection is opened anew, once."""
        async with self._in_turn():
            was_open = self._connection is not None
            try:
                return await self._within(question, readonly=True)
            except UnavailableError:
                if not was_open or self._connection is not None:
                    raise
            return await self._within(question, readonly=True)

    async def act(self, action: Callable[[Connection], Awaitable[T]]) -> T:
        """Do what a person asked for in one transaction, or raise UnavailableError.

        Then most likely nothing has happened; who lost the answer to the commit cannot know.
        """
        async with self._in_turn():
            return await self._within(action, readonly=False)

    async def close(self) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await close(connection, within=0.5)

    @asynccontextmanager
    async def _in_turn(self) -> AsyncIterator[None]:
        """Wait for one's turn and have it, both in bounded time. Who waited for a server that was silent need not try again."""
        try:
            async with asyncio.timeout(_WAITING_SECONDS + 2 * self.timeout), self._turn:
                if self._silent and asyncio.get_running_loop().time() - self._silent[0] < _SILENT_SECONDS:
                    raise _unavailable(_SILENT, self._silent[1])
                yield
        except TimeoutError as error:
            raise UnavailableError(_SILENT, "it took too long") from error

    async def _within(self, question: Callable[[Connection], Awaitable[T]], *, readonly: bool) -> T:
        with self._translated():
            async with self._transaction(readonly=readonly) as connection:
                return await question(connection)

    @asynccontextmanager
    async def _transaction(self, *, readonly: bool) -> AsyncIterator[Connection]:
        """Give the connection up where it may be in the middle of something: to wait for a rollback might take long."""
        isolation: Isolation = "repeatable_read" if readonly else "read_committed"
        connection = await self._connected()
        transaction = connection.transaction(isolation=isolation, readonly=readonly)
        try:
            await transaction.start()
            # For this transaction alone: behind a pooler the session is also the worker's.
            await limit_statements(connection, seconds=self.timeout, lock_seconds=_LOCK_SECONDS)
            try:
                yield connection
            except Exception as error:
                if not is_lost(error, connection):
                    await transaction.rollback()
                raise
            await transaction.commit()
        except BaseException as error:
            if is_lost(error, connection) or not isinstance(error, Exception):
                self._give_up()
            raise

    async def _connected(self) -> Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await connect(self.target)
            self._silent = None
        return self._connection

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except PgmendError as error:
            self._silent = (asyncio.get_running_loop().time(), error)
            raise _unavailable(_SILENT, error) from error
        except asyncpg.QueryCanceledError as error:
            raise UnavailableError(_SLOW, f"it would have taken longer than {self.timeout:g} s") from error
        except OverflowError as error:
            raise UnavailableError(_REFUSES, f"a value cannot be read, {error}") from error
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            raise _unavailable(_SILENT if is_lost(error) else _REFUSES, explained(error)) from error

    def _give_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()


def _unavailable(what: str, error: PgmendError) -> UnavailableError:
    return UnavailableError(what, redacted(f"{error.what}: {error.detail}" if error.detail else error.what), error.hint)
