"""The watch for orphans: what no valid key holds is counted often, the rest rarely; a change of number or key is audited."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from worker.core.diagnosis import Examined, shown_reference
from worker.core.orphan_audit import key_changed, orphans_detected
from worker.core.reference import Reference
from worker.log import Log
from worker.store import error_logs, integrity, orphans
from worker.store.connection import Connection
from worker.survey import Survey, Wishes

_REST_FOR_EACH_SECOND_COUNTED = 100.0
"""Counting reads whole tables: it takes no more than one part in a hundred of the time."""


@dataclass(slots=True)
class OrphanWatch:
    """Counts orphans when it is due.

    A reference without a valid key is due each time. One that a valid key holds can only have orphans where triggers were off,
    and is due every ``interval`` seconds. Zero: nothing is ever counted.
    """

    interval: float
    statement_seconds: float
    _unproven_due: float = float("-inf")
    _proven_due: float = float("-inf")
    _said: set[tuple[str, str]] = field(default_factory=set)

    async def look(self, connection: Connection, log: Log) -> None:
        """Count what is due, and audit what has changed."""
        started = time.monotonic()
        if not self.interval or started < min(self._unproven_due, self._proven_due):
            return
        survey = Survey(connection, Wishes(statement_seconds=self.statement_seconds))
        references, people = await survey.references()
        await self._compare_keys(connection, log, references)
        due = [it for it in references if started >= self._due(it)]
        examined = [await survey.examine_lent(await survey.examine(it, people)) for it in due]
        await integrity.forget_orphans(connection, [shown_reference(it) for it in references])
        await self._record(connection, log, examined)
        now = time.monotonic()
        self._unproven_due = now + _REST_FOR_EACH_SECOND_COUNTED * (now - started)
        if started >= self._proven_due:
            self._proven_due = now + self.interval

    async def _compare_keys(self, connection: Connection, log: Log, references: Sequence[Reference]) -> None:
        async with connection.transaction():
            await orphans.lock(connection)
            entries = [key_changed(change) for change in await integrity.keep_keys(connection, references)]
            if entries:
                await error_logs.record(connection, entries)
        for entry in entries:
            about = {"error_type": entry.error_type, "table": entry.table_name, "constraint": entry.constraint_name}
            log.warning("foreign_key_changed", **about, **entry.details)

    def _due(self, reference: Reference) -> float:
        return self._proven_due if reference.is_declared and reference.is_validated else self._unproven_due

    async def _record(self, connection: Connection, log: Log, examined: list[Examined]) -> None:
        async with connection.transaction():
            await orphans.lock(connection)
            entries = [orphans_detected(it, before) for it, before in await integrity.keep_orphans(connection, examined)]
            if entries:
                await error_logs.record(connection, entries)
        for entry in entries:
            log.warning("orphans_detected", error_type=entry.error_type, table=entry.table_name, **entry.details)
        self._say_unseen(log, examined)

    def _say_unseen(self, log: Log, examined: list[Examined]) -> None:
        for it in examined:
            if it.unseen and (it.name, it.unseen) not in self._said:
                self._said.add((it.name, it.unseen))
                hint = "declare a foreign key, grant select on the table to the worker's role, or check with pgmend verify"
                log.info("reference_skipped", reference=it.name, reason=it.unseen, hint=hint)
