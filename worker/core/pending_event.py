"""Pending events: what waits in the outbox, as a person looks at it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from worker.core.failure import Failure
from worker.core.payload import Payload

EventState = Literal["due", "later", "waiting", "paused"]
"""``due`` can be claimed now; ``later`` failed for a passing reason and is claimable again at ``available_at``; ``waiting`` waits
for another row, or for something that is to appear; ``paused`` waits for a person to resume its source."""

EVENT_STATES: tuple[EventState, ...] = get_args(EventState)


@dataclass(frozen=True, slots=True)
class PendingEvent:
    """One event of either lane. ``attempts`` were made so far, and ``last_failure`` is what the last one met."""

    event_id: int
    source_id: int
    kind: str
    lane: str
    user_key: str
    state: EventState
    attempts: int
    available_at: datetime
    created_at: datetime
    correlation_id: str | None = None
    last_failure: Failure | None = None
    referencing_table: str | None = None
    constraint_name: str | None = None
    writer_role: str | None = None
    waiting_for: str | None = None
    waits_for_event: int | None = None
    payload: Payload | None = None


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events are meant: those that fit all that is given. ``before``: only older ones than that event, to turn the page."""

    user_key: str | None = None
    kind: str | None = None
    table: str | None = None
    constraint: str | None = None
    state: EventState | None = None
    before: int | None = None
