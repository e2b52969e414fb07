"""Healing one user because a person said so: made now and audited, or tried and undone."""

from dataclasses import dataclass
from typing import Literal

import asyncpg

from worker.core.audit import AuditEntry
from worker.core.event import Event
from worker.core.facts import Facts
from worker.core.failure import Failure, FailureClass, classify
from worker.core.raised import is_nameless
from worker.core.retry_policy import RetryPolicy
from worker.core.status import SourceStatus
from worker.errors import HealingRefusedError, PrivilegeMissingError, SourcePausedError
from worker.rehearsing import rehearse
from worker.store import error_logs, profiles
from worker.store.connection import Connection, failure_of, is_lost, wait_for_locks

HealState = Literal["healed", "would_be_healed", "already_whole", "not_healed", "erased", "not_eligible", "unknown_user"]


@dataclass(frozen=True, slots=True)
class Healing:
    """What healing one user needs: a connection, the worker's policy, how long to wait for a lock, whether to undo it."""

    connection: Connection
    policy: RetryPolicy
    lock_seconds: float
    dry_run: bool

    async def heal(self, source: SourceStatus, user_key: str) -> HealState:
        """Make the profile that is missing; raise SourcePausedError or HealingRefusedError where it cannot be made."""
        if not await profiles.may_heal(self.connection):
            hint = "connect as a login that belongs to pgmend_worker, or use pgmend heal --all"
            raise PrivilegeMissingError("to heal one user takes the rights of the worker", hint=hint)
        if source.paused_at is not None:
            hint = f"pgmend resume --source {source.source_id}"
            raise SourcePausedError(f"source {source.source_id} is paused", detail=source.paused_because or "", hint=hint)
        facts = await self._facts(source, user_key)
        state = "unknown_user" if facts is None else _state(facts)
        if state is not None:
            return state
        return await (self._try(source, user_key) if self.dry_run else self._make(source, user_key))

    async def _facts(self, source: SourceStatus, user_key: str) -> Facts | None:
        """Return the facts, or None where this can be no key of the users table."""
        try:
            return await profiles.facts_of_user(self.connection, source.source_id, user_key)
        except asyncpg.DataError as error:
            if await profiles.misfit(self.connection, source.source_id, user_key) is not None:
                return None
            failure = failure_of(error)
            raise HealingRefusedError(
                f"source {source.source_id} cannot judge this user",
                detail=f"{failure.sqlstate}: {failure.message}",
                hint="eligible_when or erased_when raises for this user",
            ) from error

    async def _try(self, source: SourceStatus, user_key: str) -> HealState:
        event = Event(event_id=0, source_id=source.source_id, user_key=user_key, attempts=0, age=0.0)
        found = await rehearse(self.connection, event, self.policy, lock_seconds=self.lock_seconds)
        if found.failure is not None:
            detail = f"{found.failure.sqlstate}: {found.failure.message}"
            raise HealingRefusedError(found.said, detail=detail, hint=found.hint or "look at what the SQLSTATE names")
        return "would_be_healed"

    async def _make(self, source: SourceStatus, user_key: str) -> HealState:
        try:
            async with self.connection.transaction():
                await wait_for_locks(self.connection, seconds=self.lock_seconds)
                outcome = await profiles.heal(self.connection, source.source_id, user_key)
                if outcome == "healed":
                    await error_logs.record(self.connection, [_entry(source, user_key)])
        except asyncpg.PostgresError as error:
            if is_lost(error, self.connection):
                raise
            failure = failure_of(error)
            what = failure.constraint or failure.column or "the database"
            raise HealingRefusedError(
                f"{what} refuses the profile",
                detail=f"{failure.sqlstate}: {failure.message}",
                hint=_what_helps(failure),
            ) from error
        return outcome


def _what_helps(failure: Failure) -> str:
    if classify(failure.sqlstate) is not FailureClass.PERMANENT:
        return "it may pass by itself: try again"
    if is_nameless(failure):
        return "a trigger or function raises it, and the server's log has its words: mend that, or change the recipe or the user"
    return "change the recipe (pgmend.attach_source) or the user"


def _state(facts: Facts) -> HealState | None:
    """Return what the facts say, where that is the end of it."""
    if facts.profile_exists:
        return "already_whole"
    match facts.user_state:
        case "eligible":
            return None
        case "absent":
            return "erased" if facts.known_before else "unknown_user"
        case state:
            return state


def _entry(source: SourceStatus, user_key: str) -> AuditEntry:
    details: dict[str, object] = {"verdict": "healed", "source_id": source.source_id, "lane": "backfill"}
    return AuditEntry("MISSING_PROFILE_CREATED", "info", "the missing profile was created", user_key, details=details)
