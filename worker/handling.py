"""One event of the careful lane: facts, decision, effect. A failure becomes a release or a dead letter of that event alone."""

import random
from dataclasses import dataclass, field
from enum import Enum

import asyncpg

from worker.core import decision, setback
from worker.core.decision import Acknowledge, Act
from worker.core.event import Capture, Event
from worker.core.facts import Facts
from worker.core.failure import Failure
from worker.core.lost_sessions import LostSessions
from worker.core.outcome import Done, Result
from worker.core.retry_policy import RetryPolicy
from worker.core.vitals import Pulse
from worker.store import outbox, profiles, replays
from worker.store.connection import Connection, failure_of, is_lost, is_survived, wait_for_locks

_LOCK_TIMEOUT_AFTERWARDS = 0.01
_STATEMENTS_OF_ONE_EVENT = 20
_random = random.SystemRandom().random


class _Step(Enum):
    """Where in the path an event failed."""

    HEAL = "heal"
    REPLAY = "replay"


@dataclass(frozen=True, slots=True)
class Handling:
    """What handling an event needs: a connection inside the batch's transaction, the policy, and what was found out before.

    ``lost`` hears of each event whose handling may cost the session, and whether it did not; it is kept by the process.
    ``pulse`` hears of each step that may take as long as a statement may.
    """

    connection: Connection
    policy: RetryPolicy
    lost: LostSessions
    pulse: Pulse = field(default_factory=Pulse)

    async def facts(self, events: list[Event]) -> dict[int, Facts | Failure]:
        """Return the facts of each event, by id. A user whose data the source's conditions choke on gets the failure instead."""
        self.pulse.go_on()
        try:
            async with self.connection.transaction():
                return dict(await profiles.facts(self.connection, events))
        except (asyncpg.PostgresError, TimeoutError) as error:
            if self._is_lost_by(error):
                raise
            if len(events) == 1:
                return {events[0].event_id: failure_of(error)}
        return {event_id: facts for event in events for event_id, facts in (await self.facts([event])).items()}

    async def handle(self, event: Event, facts: Facts | Failure) -> Result:
        """Decide, and act in a savepoint where the decision is to act. Raises only when the connection is lost."""
        self.pulse.go_on()
        if event.event_id in self.lost.touched_by:
            return setback.after_touching_the_session(event)
        if self.lost.is_ended_by(event.event_id):
            return setback.after_ending_the_session(event, self.policy, _random())
        if isinstance(facts, Failure):
            return setback.without_facts(event, facts, self.policy, _random())
        decided = decision.decide(event, facts, self.policy, _random())
        if not isinstance(decided, Act):
            return decided
        self.lost.begins(event.event_id)
        result = await self._act(event, decided)
        self.lost.survived(event.event_id)
        return result

    async def _act(self, event: Event, decided: Act) -> Result:
        prepared = await replays.prepared(self.connection) if event.capture else 0
        step = _Step.HEAL
        try:
            async with self.connection.transaction():
                healed = await self._make_whole(event, decided)
                if healed == "not_healed":
                    return setback.after_not_healed(event)
                step = _Step.REPLAY
                if event.capture is not None:
                    await replays.replay(self.connection, event.capture)
        except (asyncpg.PostgresError, TimeoutError) as error:
            await self._require_untouched(event, prepared)
            return await self._after_failure(event, error, step)
        await self._require_untouched(event, prepared)
        return Done(healed=healed == "healed", replayed=event.capture is not None)

    async def _require_untouched(self, event: Event, prepared: int) -> None:
        """Give the connection up if code inside the replay has prepared statements, or taken the driver's away.

        One under the name of another would be run with the worker's rights, and by the very next step.
        """
        if event.capture is None or self.connection.is_closed():
            return
        if prepared <= await replays.prepared(self.connection) < prepared + _STATEMENTS_OF_ONE_EVENT:
            return
        self.lost.touched_by.add(event.event_id)
        self.connection.terminate()
        raise ConnectionAbortedError("a replay has changed the prepared statements of the session")

    async def _make_whole(self, event: Event, act: Act) -> profiles.Healed:
        if act.heal:
            return await profiles.heal(self.connection, event.source_id, event.user_key)
        if act.hold:
            return await profiles.hold(self.connection, event.source_id, event.user_key)
        return "already_whole"

    async def _after_failure(self, event: Event, error: asyncpg.PostgresError | TimeoutError, step: _Step) -> Result:
        if self._is_lost_by(error):
            raise error
        self.pulse.go_on()
        if isinstance(error, asyncpg.LockNotAvailableError):
            # One stuck writer may hold the keys of a hundred events: the batch waits once, not for each.
            await wait_for_locks(self.connection, seconds=_LOCK_TIMEOUT_AFTERWARDS)
        failure = failure_of(error)
        if failure.sqlstate == "23505" and event.capture and await self._stands(event, event.capture):
            # The writer has stored the row in the meantime: a replay that meets itself is done.
            return Acknowledge("already_whole")
        if failure.sqlstate == "23503" and failure.constraint and event.capture:
            referred_to = await outbox.captured_reference(self.connection, event.event_id, event.capture, failure.constraint)
            if referred_to is not None:
                return setback.wait_for_event(event, failure, self.policy, _random(), referred_to=referred_to)
            await self._announce(event, event.capture, failure.constraint)
        return setback.after_failure(event, failure, self.policy, _random(), healing=step is _Step.HEAL)

    async def _announce(self, event: Event, capture: Capture, constraint: str) -> None:
        """Have the profile made that another guarded key of the row misses, before the row's next attempt."""
        if constraint == capture.constraint_name:
            return
        try:
            async with self.connection.transaction():
                await outbox.announce_referenced(self.connection, capture, constraint, event.correlation_id)
        except asyncpg.PostgresError as error:
            if self._is_lost_by(error):
                raise

    def _is_lost_by(self, error: asyncpg.PostgresError | TimeoutError) -> bool:
        """Whether the connection is gone; a statement that took too long, or raised in its words, is its event's own failure."""
        return self.connection.is_closed() or (is_lost(error) and not isinstance(error, TimeoutError) and not is_survived(error))

    async def _stands(self, event: Event, capture: Capture) -> bool:
        """Whether the writer can see the row; a writer who may not look recognises nothing."""
        prepared = await replays.prepared(self.connection)
        stands = False
        try:
            async with self.connection.transaction():
                stands = await replays.stands(self.connection, capture)
        except asyncpg.PostgresError as error:
            if self._is_lost_by(error):
                raise
        await self._require_untouched(event, prepared)
        return stands
