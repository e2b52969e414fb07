"""The path of an event. Read this first.

users insert ─┐                                   one transaction per batch
              ├─> outbox ─> doorbell ─> claim ─> facts ─> decide ─> heal ─> replay ─> audit ─> acknowledge
failed insert ┘      ▲                                                                 │
                   sweep                                     release(at) / dead letter ┘

The claim is a row lock held by the transaction, so heal, replay, audit and acknowledge commit together or not at all. A worker
that dies needs no rescuer. A turn first takes the express lane, one statement for a thousand sign-ups; what that cannot settle,
and every captured insert, goes through the careful lane, where each event that has an effect stands in a savepoint of its own
(``worker/handling.py``: facts, decide, heal, replay).
"""

import time
from dataclasses import dataclass, field

import asyncpg

from worker.core.decision import Acknowledge, Release, SetAside
from worker.core.lost_sessions import LostSessions
from worker.core.low_water import LowWaterMark
from worker.core.meters import Meters
from worker.core.outcome import Done, Outcome, audit_entries
from worker.core.pace import Pace
from worker.core.retry_policy import RetryPolicy
from worker.core.vitals import Pulse
from worker.handling import Handling
from worker.log import Log
from worker.report import log_express_batch, log_express_failure, log_outcome, meter_express_batch
from worker.store import dead_letters, error_logs, outbox
from worker.store.connection import Connection, failure_of, is_lost, wait_for_locks
from worker.tracing import Tracing

_EXPRESS_IN_A_ROW = 8
_LOOK_AGAIN_SECONDS = 0.25
_LONGEST_BATCH_SECONDS = 1.0


@dataclass(slots=True)
class Path:
    """What the path needs: a connection of its own, limits, the policy, and where it looked last."""

    connection: Connection
    log: Log
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    pace: Pace = field(default_factory=Pace)
    careful_limit: int = 100
    lock_timeout: float = 2.0
    mark: LowWaterMark = field(default_factory=LowWaterMark)
    cursor: int = 0
    wrote: bool = False
    express_in_a_row: int = 0
    lost: LostSessions = field(default_factory=LostSessions)
    meters: Meters = field(default_factory=Meters)
    pulse: Pulse = field(default_factory=Pulse)
    tracing: Tracing = field(default_factory=Tracing)


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn did: how many events it handled, whether more is due now, and when the next one is (seconds, or None)."""

    handled: int
    more: bool
    next_due_in: float | None


async def turn(path: Path) -> Turn:
    """Settle one express batch; when that lane pauses, or after a few batches in a row, also what is due in the careful lane."""
    batch = await express(path)
    path.express_in_a_row = path.express_in_a_row + 1 if batch.is_full else 0
    handled = 0
    if batch.careful_is_due and path.express_in_a_row % _EXPRESS_IN_A_ROW == 0:
        handled = await careful(path)
    path.wrote = path.wrote or batch.claimed + handled > 0
    if batch.is_full:
        return Turn(batch.claimed + handled, more=True, next_due_in=None)
    # Ids do not commit in order: the next look begins at the mark, however much the careful lane still has to do.
    seen = await outbox.observe(path.connection, after=path.mark.floor)
    fell = path.mark.observe(oldest_present=seen.oldest_present, last_id=seen.last_id, snapshot=seen.snapshot, wrote=path.wrote)
    path.cursor, path.wrote = path.mark.floor, False
    return Turn(batch.claimed + handled, more=handled > 0 or fell, next_due_in=_next_due_in(batch, seen))


async def express(path: Path) -> outbox.ExpressBatch:
    """Claim, heal, audit and acknowledge up to a thousand sign-ups in one statement."""
    started = time.perf_counter()
    batch = await _express_batch(path, after=max(path.cursor, path.mark.floor))
    if batch.last_event_id is not None:
        path.cursor = batch.last_event_id
        seconds = time.perf_counter() - started
        meter_express_batch(path.meters, batch, seconds)
        log_express_batch(path.log, batch, seconds)
        path.tracing.saw_express_batch(batch, seconds)
    return batch


async def _express_batch(path: Path, *, after: int) -> outbox.ExpressBatch:
    """Where the statement fails as a whole, take fewer events, until the one that fails stands alone: that is handed over."""
    while not path.pace.is_stuck:
        path.pulse.go_on()
        try:
            batch = await outbox.express(path.connection, after=after, limit=path.pace.limit, traceparents=path.tracing.links)
        except (asyncpg.PostgresError, TimeoutError) as error:
            failure = failure_of(error)
            log_express_failure(path.log, failure, path.pace.limit)
            path.pace.failed()
            if is_lost(error, path.connection):
                raise
            path.meters.saw_error(failure.sqlstate)
        else:
            path.pace.succeeded()
            return batch
    batch = await outbox.hand_over(path.connection, after=after)
    path.pace.handed_over()
    return batch


async def careful(path: Path) -> int:
    """Settle what is due; return how many events. One under which a session has ended comes last, and alone."""
    limit = 1 if path.lost.is_wary else path.careful_limit
    handled = await _careful_batch(path, limit=limit)
    if handled < limit and path.lost.suspects:
        alone = await _careful_batch(path, limit=1, suspects=True)
        handled += alone
        if not alone:
            path.lost.acquit()
    return handled


async def _careful_batch(path: Path, *, limit: int, suspects: bool = False) -> int:
    """Settle events one by one in one transaction; return how many."""
    handling = Handling(path.connection, path.policy, path.lost, path.pulse)
    async with path.connection.transaction():
        await wait_for_locks(path.connection, seconds=path.lock_timeout)
        events = await outbox.claim(path.connection, limit=limit, of=path.lost.suspects, others=not suspects)
        claimed = time.perf_counter()
        facts = await handling.facts(events)
        outcomes: list[Outcome] = []
        began = time.perf_counter()
        for event in events:
            started = time.perf_counter()
            result = await handling.handle(event, facts[event.event_id])
            outcomes.append(Outcome(event, result, (time.perf_counter() - started) * 1000, started))
            if time.perf_counter() - began > _LONGEST_BATCH_SECONDS:
                break  # users are locked until the commit; whatever was claimed and not handled is given back by it
        await _settle(path.connection, outcomes)
    seconds = time.perf_counter() - claimed
    path.meters.saw_batch("careful", len(outcomes), seconds)
    for outcome in outcomes:
        path.lost.settled(outcome.event.event_id)
        path.meters.saw_outcome(outcome, outcome.event.age + seconds)
        log_outcome(path.log, outcome)
        path.tracing.saw_outcome(outcome)
    return len(outcomes)


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
    if settled:
        await outbox.resume_referencing(connection, settled)


def _next_due_in(batch: outbox.ExpressBatch, seen: outbox.Observation) -> float | None:
    """Return the seconds until something is due. What another worker holds is looked at again soon: it may die with it."""
    held_by_others = seen.is_held or batch.careful_is_due
    return _LOOK_AGAIN_SECONDS if held_by_others else batch.careful_due_in
