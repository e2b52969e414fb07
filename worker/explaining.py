"""Explaining one user: the facts of each source, what waits and what lies, and the recipe tried in a transaction rolled back."""

from dataclasses import dataclass

import asyncpg

from worker.core.dead_letter import DeadLetter, LetterFilter
from worker.core.event import Event
from worker.core.explanation import Explanation
from worker.core.facts import Facts
from worker.core.failure import Failure
from worker.core.pending_event import EventFilter
from worker.core.raised import FiringTrigger
from worker.core.rehearsal import Rehearsal
from worker.core.retry_policy import RetryPolicy
from worker.core.status import SourceStatus
from worker.rehearsing import rehearse
from worker.store import dead_letters, events, profiles, sources, triggers
from worker.store.connection import Connection, failure_of, is_lost

MOST = 100
"""Events, and dead letters, of one user that are looked at."""


@dataclass(frozen=True, slots=True)
class Explaining:
    """What explaining needs: a connection, the policy of the worker, and how long the trial may wait for a lock (seconds)."""

    connection: Connection
    policy: RetryPolicy
    lock_seconds: float

    async def explain(self, user_key: str) -> list[Explanation]:
        """Return what is known of a user, source by source."""
        return [await self._of_source(source, user_key) for source in await sources.statuses(self.connection)]

    async def _of_source(self, source: SourceStatus, user_key: str) -> Explanation:
        facts = await self._facts(source.source_id, user_key)
        pending = await events.listed(self.connection, EventFilter(user_key=user_key), limit=MOST)
        letters = await dead_letters.listed(self.connection, LetterFilter(user_key=user_key), limit=MOST)
        rehearsal = await self._try_recipe(source.source_id, user_key, facts)
        letters = [letter for letter in letters if letter.source_id == source.source_id]
        return Explanation(
            source.source_id,
            source.users_table,
            source.profiles_table,
            facts,
            paused_because=source.paused_because,
            is_paused=source.paused_at is not None,
            pending=tuple(event for event in pending if event.source_id == source.source_id),
            letters=tuple(letters),
            rehearsal=rehearsal,
            triggers=await self._triggers(source.source_id, letters, rehearsal),
            misfit=await profiles.misfit(self.connection, source.source_id, user_key) if isinstance(facts, Failure) else None,
        )

    async def _triggers(
        self, source_id: int, letters: list[DeadLetter], rehearsal: Rehearsal | None
    ) -> tuple[FiringTrigger, ...] | None:
        tables = {letter.refused_table: None for letter in letters if letter.is_nameless}
        if rehearsal is not None and rehearsal.is_nameless:
            tables[None] = None
        if not tables:
            return None
        return tuple([it for table in tables for it in await triggers.firing(self.connection, source_id, table)])

    async def _facts(self, source_id: int, user_key: str) -> Facts | Failure:
        try:
            return await profiles.facts_of_user(self.connection, source_id, user_key)
        except asyncpg.PostgresError as error:
            if is_lost(error, self.connection) or isinstance(error, asyncpg.InsufficientPrivilegeError):
                raise
            return failure_of(error)

    async def _try_recipe(self, source_id: int, user_key: str, facts: Facts | Failure) -> Rehearsal | None:
        if isinstance(facts, Failure) or facts.user_state != "eligible" or facts.profile_exists:
            return None
        if not await profiles.may_heal(self.connection):
            return None
        sign_up = Event(event_id=0, source_id=source_id, user_key=user_key, attempts=0, age=0.0)
        return await rehearse(self.connection, sign_up, self.policy, lock_seconds=self.lock_seconds)
