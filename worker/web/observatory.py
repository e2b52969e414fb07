"""The observatory: looks at the database every few seconds, so that probes and scrapes, however many, ask it nothing."""

import asyncio
from dataclasses import replace

import asyncpg

from worker.core.observation import Observation
from worker.core.readiness import Seen
from worker.runtime.supervisor import Worker
from worker.store import observation
from worker.store.connection import Connection
from worker.web.reader import Reader, UnavailableError

_UNTIL_STARTED_SECONDS = 0.05
_NOT_MIGRATED = (
    asyncpg.UndefinedTableError,
    asyncpg.InvalidSchemaNameError,
    asyncpg.UndefinedColumnError,
    asyncpg.UndefinedFunctionError,
)


class Observatory:
    """Keeps the last answer, or why there is none. Never raises: what it cannot see is what it reports."""

    def __init__(self, worker: Worker) -> None:
        """Look at the database of this worker."""
        settings = worker.settings
        self._reader = Reader(settings.observing_target, settings.observe_timeout_seconds)
        self._interval = settings.observe_interval_seconds
        self._worker = worker
        self._now = worker.vitals.now
        self._seen = Seen(failure="it has not been asked yet")
        self._at = self._now()
        self._has_failed = False

    @property
    def seen(self) -> Seen:
        """Return what was seen last, with its age."""
        return replace(self._seen, age=self._now() - self._at)

    async def run(self) -> None:
        """Look until cancelled, first when the worker has found its database ready."""
        try:
            while True:
                if self._worker.vitals.has_started:
                    await self.look()
                await asyncio.sleep(self._interval if self._worker.vitals.has_started else _UNTIL_STARTED_SECONDS)
        finally:
            await self._reader.close()

    async def look(self) -> None:
        """Look once, with one statement."""
        try:
            seen = Seen(await self._reader.ask(self._ask))
        except UnavailableError as error:
            seen = _unseen(error)
        except Exception as error:  # noqa: BLE001 - whatever goes wrong here must not go wrong for the worker
            seen = Seen(failure=type(error).__name__, failure_hint="report this as a bug")
        if seen.failure and not self._has_failed:
            self._worker.log.warning("observation_failed", reason=seen.failure, hint=seen.failure_hint)
        self._worker.meters.observations.add("failed" if seen.failure else "answered")
        self._seen, self._at, self._has_failed = seen, self._now(), bool(seen.failure)

    async def _ask(self, connection: Connection) -> Observation:
        return await observation.look(connection)


def _unseen(error: UnavailableError) -> Seen:
    if isinstance(error.__cause__, _NOT_MIGRATED):
        return Seen(failure=error.reason, failure_code="schema_behind", failure_hint="run pgmend migrate")
    return Seen(failure=error.reason, failure_hint=error.hint)
