"""The path of an event. Read this first.

users insert ─┐                                   one transaction per batch
              ├─> outbox ─> doorbell ─> claim ─> facts ─> decide ─> heal ─> replay ─> audit ─> acknowledge
failed insert ┘      ▲                                                                 │
                   sweep                                     release(at) / dead letter ┘

The claim is a row lock held by the transaction, so heal, replay, audit and acknowledge commit together or not at all. A worker
that dies needs no rescuer. A turn first takes the express lane, one statement for a thousand sign-ups; what that cannot settle,
and every captured insert, goes through the careful lane, where each event that has an effect stands in a savepoint of its own.
"""

import random
import time
from dataclasses import dataclass, field
from enum import Enum

import asyncpg

from worker.core import decision
from worker.core.decision import Acknowledge, Act, Release, SetAside
from worker.core.event import Capture, Event
from worker.core.facts import Facts
from worker.core.failure import Failure, FailureClass, classify
from worker.core.low_water import LowWaterMark
from worker.core.outcome import Done, Outcome, Result, audit_entries
from worker.core.retry_policy import RetryPolicy
from worker.log import Log
from worker.report import log_express_batch, log_outcome
from worker.store import dead_letters, error_logs, outbox, profiles, replays
from worker.store.connection import Connection, failure_of, is_lost

_EXPRESS_IN_A_ROW = 8
_LOOK_AGAIN_SECONDS = 0.25
_LOCK_TIMEOUT_AFTERWARDS = 0.01
_LONGEST_BATCH_SECONDS = 1.0
_random = random.SystemRandom().random


class Step(Enum):
    """Where in the path an event failed."""

    HEAL = "heal"
    REPLAY = "replay"


@dataclass(slots=True)
class Path:
    """What the path needs: a connection of its own, limits, the policy, and where it looked last."""

    connection: Connection
    log: Log
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    express_limit: int = 1000
    careful_limit: int = 100
    lock_timeout: float = 2.0
    mark: LowWaterMark = field(default_factory=LowWaterMark)
    cursor: int = 0
    wrote: bool = False
    express_in_a_row: int = 0


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn did: how many events it handled, whether more is due now, and when the next one is (seconds, or None)."""

    handled: int
    more: bool
    next_due_in: float | None


async def turn(path: Path) -> Turn:
    """Settle one express batch; when that lane pauses, or after a few batches in a row, also what is due in the careful lane."""
    batch = await express(path)
    pauses = batch.claimed < path.express_limit
    path.express_in_a_row = 0 if pauses else path.express_in_a_row + 1
    handled = 0
    if batch.careful_is_due and path.express_in_a_row % _EXPRESS_IN_A_ROW == 0:
        handled = await careful(path)
    path.wrote = path.wrote or batch.claimed + handled > 0
    if not pauses:
        return Turn(batch.claimed + handled, more=True, next_due_in=None)
    # Ids do not commit in order: the next look begins at the mark, however much the careful lane still has to do.
    seen = await outbox.observe(path.connection, after=path.mark.floor)
    fell = path.mark.observe(oldest_present=seen.oldest_present, last_id=seen.last_id, snapshot=seen.snapshot, wrote=path.wrote)
    path.cursor, path.wrote = path.mark.floor, False
    return Turn(batch.claimed + handled, more=handled > 0 or fell, next_due_in=_next_due_in(batch, seen))


async def express(path: Path) -> outbox.ExpressBatch:
    """Claim, heal, audit and acknowledge up to a thousand sign-ups in one statement."""
    started = time.perf_counter()
    batch = await outbox.express(path.connection, after=max(path.cursor, path.mark.floor), limit=path.express_limit)
    if batch.last_event_id is not None:
        path.cursor = batch.last_event_id
        log_express_batch(path.log, batch, time.perf_counter() - started)
    return batch


async def careful(path: Path) -> int:
    """Settle events one by one in one transaction; return how many."""
    async with path.connection.transaction():
        await _wait_for_locks(path.connection, path.lock_timeout)
        events = await outbox.claim(path.connection, limit=path.careful_limit)
        facts = await _facts(path, events)
        outcomes: list[Outcome] = []
        began = time.perf_counter()
        for event in events:
            started = time.perf_counter()
            result = await _handle(path, event, facts[event.event_id])
            outcomes.append(Outcome(event, result, (time.perf_counter() - started) * 1000))
            if time.perf_counter() - began > _LONGEST_BATCH_SECONDS:
                break  # users are locked until the commit; whatever was claimed and not handled is given back by it
        await _settle(path.connection, outcomes)
    for outcome in outcomes:
        log_outcome(path.log, outcome)
    return len(outcomes)


async def _facts(path: Path, events: list[Event]) -> dict[int, Facts | Failure]:
    """Return the facts of each event. One user's data that the source's conditions choke on must not stop all the others."""
    try:
        async with path.connection.transaction():
            return dict(await profiles.facts(path.connection, events))
    except asyncpg.PostgresError as error:
        failure = failure_of(error)
        if is_lost(error, path.connection) or classify(failure.sqlstate) is not FailureClass.PERMANENT:
            raise
        if len(events) == 1:
            return {events[0].event_id: failure}
    return {event_id: facts for event in events for event_id, facts in (await _facts(path, [event])).items()}


async def _handle(path: Path, event: Event, facts: Facts | Failure) -> Result:
    """Decide, and act in a savepoint where the decision is to act; a failure becomes a release or a dead letter."""
    if isinstance(facts, Failure):
        return decision.after_failure(event, facts, path.policy, _random(), healing=True)
    decided = decision.decide(event, facts, path.policy, _random())
    if not isinstance(decided, Act):
        return decided
    step = Step.HEAL
    try:
        async with path.connection.transaction():
            if decided.heal:
                healed = await profiles.heal(path.connection, event.source_id, event.user_key)
            else:
                healed = (
                    await profiles.hold(path.connection, event.source_id, event.user_key) if decided.hold else "already_whole"
                )
            if healed == "not_healed":
                return decision.after_not_healed(event)
            step = Step.REPLAY
            if event.capture is not None:
                await replays.replay(path.connection, event.capture)
            return Done(healed=healed == "healed", replayed=event.capture is not None)
    except (asyncpg.PostgresError, TimeoutError) as error:
        return await _after_failure(path, event, error, step)


async def _wait_for_locks(connection: Connection, seconds: float) -> None:
    await connection.execute(f"set local lock_timeout = {max(1, int(seconds * 1000))}")


async def _after_failure(path: Path, event: Event, error: asyncpg.PostgresError | TimeoutError, step: Step) -> Result:
    if is_lost(error, path.connection) and not isinstance(error, TimeoutError):
        raise error
    if isinstance(error, asyncpg.LockNotAvailableError):
        # One stuck writer may hold the keys of a hundred events: the batch waits once, not for each.
        await _wait_for_locks(path.connection, _LOCK_TIMEOUT_AFTERWARDS)
    failure = failure_of(error) if isinstance(error, asyncpg.PostgresError) else Failure("57014", "the statement took too long")
    if failure.sqlstate == "23505" and event.capture and await _stands(path.connection, event.capture):
        # The writer has stored the row in the meantime: a replay that meets itself is done.
        return Acknowledge("already_whole")
    return decision.after_failure(event, failure, path.policy, _random(), healing=step is Step.HEAL)


async def _stands(connection: Connection, capture: Capture) -> bool:
    """Whether the writer can see the row; a writer who may not look recognises nothing."""
    try:
        async with connection.transaction():
            return await replays.stands(connection, capture)
    except asyncpg.PostgresError as error:
        if is_lost(error, connection):
            raise
        return False


async def _settle(connection: Connection, outcomes: list[Outcome]) -> None:
    """Write down what became of the events: audit, then acknowledge, release or set aside."""
    entries = [entry for outcome in outcomes for entry in audit_entries(outcome)]
    settled = [outcome.event.event_id for outcome in outcomes if isinstance(outcome.result, Done | Acknowledge)]
    released = {o.event.event_id: o.result for o in outcomes if isinstance(o.result, Release)}
    letters = {o.event.event_id: o.result for o in outcomes if isinstance(o.result, SetAside)}
    if entries:
        await error_logs.record(connection, entries)
    if settled:
        await outbox.acknowledge(connection, settled)
    if released:
        await outbox.release(connection, released)
    if letters:
        await dead_letters.set_aside(connection, letters)


def _next_due_in(batch: outbox.ExpressBatch, seen: outbox.Observation) -> float | None:
    """Return the seconds until something is due. What another worker holds is looked at again soon: it may die with it."""
    held_by_others = seen.oldest_present is not None or batch.careful_is_due
    return _LOOK_AGAIN_SECONDS if held_by_others else batch.careful_due_in
