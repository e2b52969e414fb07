"""The canonical log lines of the path, one for each event of the careful lane and each batch of the express lane; its meters."""

from worker.core.decision import Acknowledge, Release, SetAside
from worker.core.failure import Failure
from worker.core.meters import SIGN_UP, Meters
from worker.core.outcome import Done, Outcome, audit_entries
from worker.log import Log
from worker.store.outbox import ExpressBatch


def log_express_batch(log: Log, batch: ExpressBatch, seconds: float) -> None:
    """Write the line of one express batch."""
    log.info(
        "express_batch_settled",
        claimed=batch.claimed,
        healed=batch.healed,
        already_whole=batch.already_whole,
        left_over=batch.left_over,
        oldest_waited_ms=round(batch.oldest_waited * 1000),
        duration_ms=round(seconds * 1000, 1),
    )


def meter_express_batch(meters: Meters, batch: ExpressBatch, seconds: float) -> None:
    """Count one express batch, which took so long from the statement's start to its commit."""
    meters.saw_batch("express", batch.claimed, seconds)
    for outcome, events in (("healed", batch.healed), ("already_whole", batch.already_whole), ("handed_over", batch.left_over)):
        meters.events.add(SIGN_UP, outcome, by=events)
    meters.time_to_integrity.add_all([waited + seconds for waited in batch.healed_after], SIGN_UP)
    meters.attempts.add(1, SIGN_UP, times=batch.healed + batch.already_whole)


def log_express_failure(log: Log, failure: Failure, limit: int) -> None:
    """Write that a batch of at most ``limit`` failed as a whole, and is tried again with fewer."""
    log.warning("express_batch_failed", sqlstate=failure.sqlstate, reason=failure.message, limit=limit)


def log_outcome(log: Log, outcome: Outcome) -> None:
    """Write the line of one event."""
    event = outcome.event
    log = log.bind(
        event_id=event.event_id,
        kind=event.kind,
        user_key=event.user_key,
        attempt=event.attempt,
        duration_ms=round(outcome.duration_ms, 1),
    )
    if event.correlation_id:
        log = log.bind(correlation_id=event.correlation_id)
    if trace := event.trace:
        log = log.bind(trace_id=trace.trace_id, span_id=trace.span_id)
    if event.capture:
        log = log.bind(table=event.capture.referencing_table, constraint=event.capture.constraint_name)
    match outcome.result:
        case Done(healed=healed, replayed=replayed) as done:
            error_type = next((entry.error_type for entry in reversed(audit_entries(outcome))), None)
            log.info("event_settled", error_type=error_type, verdict=done.verdict, healed=healed, replayed=replayed)
        case Acknowledge(verdict=verdict):
            log.info("event_acknowledged", verdict=verdict)
        case Release(delay=delay, failure=failure, waiting_for=waiting_for, verdict=verdict):
            log.info(
                "event_released",
                verdict=verdict,
                sqlstate=failure.sqlstate,
                reason=failure.message,
                retry_in_ms=round(delay * 1000),
                waiting_for=waiting_for,
            )
        case SetAside(verdict=verdict, failure=failure, hint=hint):
            log.warning(
                "event_dead_lettered",
                error_type="EVENT_DEAD_LETTERED",
                verdict=verdict,
                sqlstate=failure.sqlstate,
                reason=failure.message,
                hint=hint,
            )
