"""What a span says of what was settled, by OpenTelemetry's conventions for messaging and for databases. No personal value.

https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/
"""

from dataclasses import dataclass

from worker.core.decision import Acknowledge, Release, SetAside
from worker.core.event import Event
from worker.core.failure import Failure
from worker.core.outcome import Done, Outcome, Result, name_of

EXPRESS, CAREFUL = "pgmend.express_events", "pgmend.careful_events"
_OPERATION = "settle"

Value = str | int


@dataclass(frozen=True, slots=True)
class Told:
    """A span's name and attributes, and the SQLSTATE that makes it an error."""

    name: str
    attributes: dict[str, Value]
    error: str | None = None


def of_outcome(outcome: Outcome) -> Told:
    """Return what a span says of one event of the careful lane."""
    event, result = outcome.event, outcome.result
    told = {
        "messaging.message.id": str(event.event_id),
        "pgmend.source_id": event.source_id,
        "pgmend.event.kind": event.kind,
        "pgmend.event.attempt": event.attempt,
        "pgmend.outcome": name_of(result),
        "pgmend.verdict": result.verdict,
        **_of_failure(event, _failure(result)),
    }
    return _told(CAREFUL, told, error=_error(result))


def of_express_batch(*, claimed: int, healed: int, already_whole: int, last_event_id: int | None) -> Told:
    """Return what a span says of an express batch; of a batch of one it names the event."""
    counts = {"healed": healed, "already_whole": already_whole, "handed_over": claimed - healed - already_whole}
    told: dict[str, Value | None] = {"messaging.batch.message_count": claimed}
    if claimed == 1:
        told |= {
            "messaging.message.id": str(last_event_id),
            "pgmend.event.kind": "user_created",
            "pgmend.event.attempt": 1,
            "pgmend.outcome": next(outcome for outcome, events in counts.items() if events),
        }
    return _told(EXPRESS, told | {f"pgmend.batch.{outcome}": events for outcome, events in counts.items()})


def _told(table: str, attributes: dict[str, Value | None], error: str | None = None) -> Told:
    always: dict[str, Value | None] = {
        "messaging.system": "pgmend",
        "messaging.operation.name": _OPERATION,
        "messaging.operation.type": "process",
        "messaging.destination.name": table,
        "db.system.name": "postgresql",
    }
    known = {name: value for name, value in (always | attributes).items() if value is not None}
    return Told(f"{_OPERATION} {table}", known, error)


def _of_failure(event: Event, failure: Failure | None) -> dict[str, Value | None]:
    capture = event.capture
    return {
        "db.collection.name": capture.referencing_table if capture else None,
        "db.response.status_code": failure.sqlstate if failure else None,
        "pgmend.constraint": (failure.constraint if failure else None) or (capture.constraint_name if capture else None),
    }


def _failure(result: Result) -> Failure | None:
    return result.failure if isinstance(result, Release | SetAside) else None


def _error(result: Result) -> str | None:
    """Return the SQLSTATE of what went wrong. A row that waits for another, or for something to appear, has not gone wrong."""
    match result:
        case SetAside(failure=failure) | Release(failure=failure, waiting_for=None, verdict=None):
            return failure.sqlstate
        case Done() | Acknowledge() | Release():
            return None
