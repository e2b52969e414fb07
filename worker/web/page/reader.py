"""Reading for the page: one connection for all who look, short statements, nothing written; and the one that acts for a person."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Literal, TypeVar

import asyncpg

from worker.errors import PgmendError
from worker.store import locks
from worker.store.connection import Connection, Target, close, connect, explained, is_lost

T = TypeVar("T")
Isolation = Literal["repeatable_read", "read_committed"]

_CONNECT_SECONDS = 3.0
_LOCK_MILLISECONDS = 500


class UnavailableError(Exception):
    """The database does not answer, or not in time; the text says which, for a person."""


@dataclass(slots=True)
class Reader:
    """``timeout``: seconds that one statement may take. Questions wait for each other, so that any number of tabs is one reader."""

    target: Target
    timeout: float = 2.0
    _connection: Connection | None = field(default=None, init=False)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def ask(self, question: Callable[[Connection], Awaitable[T]]) -> T:
        """Answer one question in a read-only transaction, or raise UnavailableError. A lost connection is opened anew, once."""
        async with self._turn:
            is_new = self._connection is None
            try:
                return await self._within(question, readonly=True)
            except UnavailableError:
                if is_new or self._connection is not None:
                    raise
            return await self._within(question, readonly=True)

    async def act(self, action: Callable[[Connection], Awaitable[T]]) -> T:
        """Do what a person asked for in one transaction, or raise UnavailableError: then nothing has happened."""
        async with self._turn:
            return await self._within(action, readonly=False)

    async def close(self) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await close(connection)

    async def _within(self, question: Callable[[Connection], Awaitable[T]], *, readonly: bool) -> T:
        async with self._translated():
            if self._connection is None or self._connection.is_closed():
                self._connection = await connect(self._patience())
            isolation: Isolation = "repeatable_read" if readonly else "read_committed"
            async with self._connection.transaction(isolation=isolation, readonly=readonly):
                # For this transaction alone: behind a pooler the session is also the worker's.
                await locks.limit(
                    self._connection,
                    lock_milliseconds=_LOCK_MILLISECONDS,
                    statement_milliseconds=int(self.timeout * 1000),
                )
                return await question(self._connection)

    def _patience(self) -> Target:
        return replace(
            self.target, application_name="pgmend page", connect_timeout=min(self.target.connect_timeout, _CONNECT_SECONDS)
        )

    @asynccontextmanager
    async def _translated(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(_CONNECT_SECONDS + self.timeout * 2):
                yield
        except PgmendError as error:
            self._give_up()
            raise UnavailableError(f"{error.what}: {error.detail}" if error.detail else error.what) from error
        except asyncpg.QueryCanceledError as error:
            raise UnavailableError(f"an answer would have taken longer than {self.timeout:g} s") from error
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            if is_lost(error, self._connection):
                self._give_up()
            told = explained(error)
            raise UnavailableError(f"{told.what}: {told.detail}" if told.detail else told.what) from error

    def _give_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()
