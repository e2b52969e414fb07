"""Reading for the page: one connection for all who look, short statements, nothing written; and acting for a person."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from typing import Literal, TypeVar

import asyncpg

from worker.errors import PgmendError
from worker.log import redacted
from worker.store import locks
from worker.store.connection import Connection, Target, close, connect, explained, is_lost

T = TypeVar("T")
Isolation = Literal["repeatable_read", "read_committed"]

_CONNECT_SECONDS = 3.0
_LOCK_MILLISECONDS = 500
_SILENT_SECONDS = 1.0


class UnavailableError(Exception):
    """There is no answer: ``what`` is wrong in a few words, and the reason, both for a person."""

    def __init__(self, what: str, reason: str) -> None:
        super().__init__(f"{what}: {reason}")
        self.what = what
        self.reason = reason


_SILENT, _SLOW, _REFUSES = "The database does not answer", "The answer takes too long", "The database refuses to answer"


@dataclass(slots=True)
class Reader:
    """``timeout``: seconds that a statement may take. Questions wait for each other: any number of tabs is one reader."""

    target: Target
    timeout: float = 2.0
    _connection: Connection | None = field(default=None, init=False)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)
    _silent: tuple[float, str] | None = field(default=None, init=False)

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
            await close(connection)

    @asynccontextmanager
    async def _in_turn(self) -> AsyncIterator[None]:
        """Wait for one's turn and have it, both in bounded time. Who waited for a server that was silent need not try again."""
        try:
            async with asyncio.timeout(_CONNECT_SECONDS + 2 * self.timeout), self._turn:
                if self._silent and asyncio.get_running_loop().time() - self._silent[0] < _SILENT_SECONDS:
                    raise UnavailableError(_SILENT, self._silent[1])
                yield
        except TimeoutError as error:
            self._give_up()
            raise UnavailableError(_SILENT, "it took too long") from error

    async def _within(self, question: Callable[[Connection], Awaitable[T]], *, readonly: bool) -> T:
        isolation: Isolation = "repeatable_read" if readonly else "read_committed"
        with self._translated():
            connection = await self._connected()
            async with connection.transaction(isolation=isolation, readonly=readonly):
                # For this transaction alone: behind a pooler the session is also the worker's.
                statement_milliseconds = int(self.timeout * 1000)
                await locks.limit(connection, lock_milliseconds=_LOCK_MILLISECONDS, statement_milliseconds=statement_milliseconds)
                return await question(connection)

    async def _connected(self) -> Connection:
        if self._connection is None or self._connection.is_closed():
            seconds = min(self.target.connect_timeout, _CONNECT_SECONDS)
            self._connection = await connect(replace(self.target, application_name="pgmend page", connect_timeout=seconds))
            self._silent = None
        return self._connection

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except PgmendError as error:
            self._silent = (asyncio.get_running_loop().time(), _told(error))
            self._give_up()
            raise UnavailableError(_SILENT, _told(error)) from error
        except asyncpg.QueryCanceledError as error:
            raise UnavailableError(_SLOW, f"it would have taken longer than {self.timeout:g} s") from error
        except OverflowError as error:
            raise UnavailableError(_REFUSES, f"a value cannot be read, {error}") from error
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            is_gone = is_lost(error, self._connection)
            if is_gone:
                self._give_up()
            raise UnavailableError(_SILENT if is_gone else _REFUSES, _told(explained(error))) from error

    def _give_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()


def _told(error: PgmendError) -> str:
    return redacted(f"{error.what}: {error.detail}" if error.detail else error.what)
