"""Stories: one event from the moment it was written to the one it was acknowledged, told from what is still known of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from worker.core.dead_letter import DeadLetter
from worker.core.failure import Failure
from worker.core.pending_event import PendingEvent
from worker.core.recorded_entry import RecordedEntry

StoryState = Literal["pending", "dead", "settled", "silent", "unknown"]
"""``pending``: in the outbox. ``dead``: a dead letter. ``settled``: gone, and the audit says why. ``silent``: gone without an
entry, because nothing was left to do, or because the entries have expired. ``unknown``: no such event was ever written."""

MomentKind = Literal["written", "audited", "dead_lettered", "due", "acknowledged"]

_CAPTURED = "FOREIGN_KEY_VIOLATION_CAPTURED"
_SET_ASIDE = "EVENT_DEAD_LETTERED"


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened to an event, or is going to. ``entry`` is what the audit has of it."""

    at: datetime
    kind: MomentKind
    said: str
    entry: RecordedEntry | None = None
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """What is known of one event. ``moments`` are in the order of time; ``pending`` or ``letter``: the event as it lies there."""

    event_id: int
    state: StoryState
    moments: tuple[Moment, ...]
    user_key: str | None = None
    pending: PendingEvent | None = None
    letter: DeadLetter | None = None


def tell(
    event_id: int,
    *,
    pending: PendingEvent | None,
    letter: DeadLetter | None,
    entries: Sequence[RecordedEntry],
    was_given: bool,
) -> Story:
    """Tell what is known. ``entries`` are those of the event in any order; ``was_given``: such an id was given out once."""
    present = pending or letter
    in_order = sorted(entries, key=lambda entry: entry.created_at)
    state = _state(pending, letter, has_entries=bool(entries), was_given=was_given)
    moments = [*_written(present, in_order), *_audited(in_order), *_lying(pending, letter, in_order)]
    if state == "settled" and in_order:
        moments.append(Moment(in_order[-1].created_at, "acknowledged", "the event is settled, and gone from the outbox"))
    user_key = present.user_key if present else next((entry.user_id for entry in in_order if entry.user_id), None)
    return Story(event_id, state, tuple(sorted(moments, key=lambda moment: moment.at)), user_key, pending, letter)


def _state(pending: PendingEvent | None, letter: DeadLetter | None, *, has_entries: bool, was_given: bool) -> StoryState:
    if pending is not None:
        return "pending"
    if letter is not None:
        return "dead"
    if has_entries:
        return "settled"
    return "silent" if was_given else "unknown"


def _written(present: PendingEvent | DeadLetter | None, entries: Sequence[RecordedEntry]) -> Iterator[Moment]:
    """Yield when it was written, unless the capture's own entry says it: by the event, or by how long an effect waited."""
    if any(entry.error_type == _CAPTURED for entry in entries):
        return
    if present is not None and not entries:
        what = "a user signed up" if present.kind == "user_created" else "an insert failed and was captured"
        yield Moment(present.created_at, "written", what)
        return
    for entry in entries:
        began = _began(entry)
        if began is not None:
            yield Moment(min(began, entries[0].created_at), "written", "the event was written")
            return
    if present is not None:
        yield Moment(min(present.created_at, entries[0].created_at), "written", "the event was written")


def _began(entry: RecordedEntry) -> datetime | None:
    """Return when the event of an effect was written, as far as the entry says so in a way that makes sense."""
    waited = entry.details.get("waited_ms")
    if not isinstance(waited, int | float):
        return None
    try:
        return entry.created_at - timedelta(milliseconds=waited)
    except OverflowError:
        return None


def _audited(entries: Sequence[RecordedEntry]) -> Iterator[Moment]:
    for entry in entries:
        kind: MomentKind = "dead_lettered" if entry.error_type == _SET_ASIDE else "audited"
        where = f" ({entry.table_name})" if entry.table_name else ""
        yield Moment(entry.created_at, kind, f"{entry.message}{where}", entry=entry)


def _lying(pending: PendingEvent | None, letter: DeadLetter | None, entries: Sequence[RecordedEntry]) -> Iterator[Moment]:
    """Yield what the event that lies there adds: when it is due again, or a dead letter whose entry has expired."""
    if letter is not None and not any(entry.error_type == _SET_ASIDE for entry in entries):
        failure = Failure(letter.sqlstate or "", letter.message, letter.failed_constraint, letter.failed_column)
        yield Moment(letter.dead_at, "dead_lettered", letter.message, failure=failure)
    if pending is not None:
        yield Moment(pending.available_at, "due", _due(pending), failure=pending.last_failure)


def _due(pending: PendingEvent) -> str:
    if pending.state == "paused":
        return "it waits until its source is resumed"
    if pending.waits_for_event is not None:
        return f"it waits for event {pending.waits_for_event}, to whose row it refers"
    if pending.waiting_for is not None:
        return f"it waits for {pending.waiting_for} to appear"
    return f"attempt {pending.attempts + 1} is due"
