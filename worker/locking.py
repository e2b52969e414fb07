"""Short waits for locks: a DDL statement that waits makes every writer behind it wait, so it gives up soon and comes again.

Who is in the way is asked on a second connection, while the statement waits.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import asyncpg

from worker.core.blocker import Blocker, described
from worker.core.retry_policy import RetryPolicy
from worker.errors import LockNotGrantedError
from worker.store import doctor, locks
from worker.store.connection import Connection

T = TypeVar("T")

_OVERTAKEN = (
    asyncpg.DuplicateTableError,
    asyncpg.DuplicateObjectError,
    asyncpg.UndefinedObjectError,
    asyncpg.UniqueViolationError,
)
"""Somebody else has done the same in between: look again."""


_RAREST_LOOK_SECONDS = 2.0
"""Asking who blocks whom costs the server a little."""


class NotYetError(Exception):
    """What has to be there is not there yet, for a reason that passes; looking again is all that can be done."""

    def __init__(self, what: str, blockers: Iterable[Blocker] = ()) -> None:
        super().__init__(what)
        self.blockers = tuple(blockers)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long one attempt waits for a lock, and how often and after which delays it comes again."""

    lock_milliseconds: int = 500
    retries: RetryPolicy = field(default_factory=lambda: RetryPolicy(first_delay=0.1, longest_delay=5.0, most_attempts=60))


@dataclass(frozen=True, slots=True)
class Denial:
    """An attempt that was not granted its locks."""

    attempt: int
    blockers: tuple[Blocker, ...]
    delay: float


@dataclass(slots=True)
class Locking:
    """A connection that changes things, one that watches it, and what is told of both."""

    connection: Connection
    watching: Connection
    patience: Patience
    on_denial: Callable[[Denial], None]
    on_wait: Callable[[int, float, tuple[Blocker, ...]], Awaitable[None]]
    _blockers: tuple[Blocker, ...] = ()
    _pid: int = 0

    async def patiently(self, attempt: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Return what an attempt returns, as soon as one is granted its locks; each looks at the world anew.

        Raises LockNotGrantedError, with who was in the way, after the last attempt.
        """
        number = 1
        self._blockers = ()
        while True:
            try:
                return await self.watched(attempt())
            except (NotYetError, *locks.NOT_GRANTED, *_OVERTAKEN) as error:
                if isinstance(error, NotYetError):
                    self._blockers = error.blockers or self._blockers
                if self.patience.retries.is_exhausted(number):
                    raise self._given_up(number, error) from error
            delay = self.patience.retries.delay(number, random.random())  # noqa: S311 (spread, not secrecy)
            self.on_denial(Denial(number, self._blockers, delay))
            await asyncio.sleep(delay)
            number += 1

    async def watched(self, work: Coroutine[Any, Any, T]) -> T:
        """Await the work, and look meanwhile who keeps it waiting: within a lock timeout, and more rarely the longer it takes."""
        self._pid = self._pid or await doctor.backend(self.connection)  # a pooler would have told a process of its own
        task = asyncio.ensure_future(work)
        loop = asyncio.get_running_loop()
        begun = loop.time()
        first_look = self.patience.lock_milliseconds / 4000
        try:
            while not task.done():
                await asyncio.wait({task}, timeout=max(first_look, min((loop.time() - begun) / 4, _RAREST_LOOK_SECONDS)))
                if not task.done():
                    await self._look(loop.time() - begun)
        finally:
            if not task.done():
                task.cancel()
        return await task

    async def change(self, text: str, *, is_instant: bool) -> None:
        """Run a statement in a transaction of its own, under limits."""
        try:
            async with self.connection.transaction():
                await self.limit(is_instant=is_instant)
                await self.connection.execute(text)
        except asyncpg.QueryCanceledError as error:
            if not is_instant:
                raise  # nothing limits it: somebody wanted it to end
            raise NotYetError("its locks were not granted in time, all of them together") from error

    async def limit(self, *, is_instant: bool) -> None:
        """Limit how long this transaction waits for one lock and, where it only takes an instant, for all of them together."""
        wait = self.patience.lock_milliseconds
        await locks.limit(self.connection, lock_milliseconds=wait, statement_milliseconds=wait if is_instant else 0)

    async def _look(self, seconds: float) -> None:
        found = tuple(await locks.blockers(self.watching, self._pid))
        self._blockers = found or self._blockers
        await self.on_wait(self._pid, seconds, found)

    def _given_up(self, attempts: int, error: Exception) -> LockNotGrantedError:
        wait = self.patience.lock_milliseconds
        if self._blockers:
            detail = f"{attempts} attempts of {wait} ms; in the way: {described(self._blockers)}"
            hint = "wait for that session or end it, then run this again: it goes on from here"
            return LockNotGrantedError("a lock was not granted", detail=detail, hint=hint)
        return LockNotGrantedError(
            "a step was not done in time",
            detail=f"{attempts} attempts of {wait} ms; nobody was seen in the way; the last said: {error}",
            hint="raise --lock-timeout, or run this again in a quiet moment: it goes on from here",
        )
