"""Audit entries: the durable record in ``error_logs``, written in the same transaction as the effect."""

from dataclasses import dataclass, field, replace
from typing import Literal

from worker.core.decision import SetAside
from worker.core.event import Event

Severity = Literal["info", "warning", "error"]

VOCABULARY: dict[str, str] = {
    "MISSING_PROFILE_CREATED": "The profile of an existing user was missing and has been made by the recipe.",
    "FOREIGN_KEY_VIOLATION_CAPTURED": "An insert failed on a guarded foreign key and was captured, to be replayed.",
    "INSERT_REPLAYED": "A captured insert was run again and stands.",
    "INSERT_FOUND_STORED": "The row of a captured insert stands already, value by value: its writer came back with it.",
    "CONVERSATION_RETRIED": "A captured conversation was opened, with its admin and its one welcome message.",
    "ERASED_USER_EVENT_DROPPED": "The user is erased: nothing was made, and a captured row was dropped.",
    "ERASED_USER_DEAD_LETTER_DROPPED": "The user of a dead letter was erased: the letter was dropped, and its captured row.",
    "EVENT_DEAD_LETTERED": "An event was set aside for a person; the details name verdict and hint.",
    "DEAD_LETTER_REQUEUED": "A person sent a dead letter back: it is an event again, under its old id.",
    "DEAD_LETTER_DISCARDED": "A person discarded a dead letter, and a captured row with it.",
    "CAPTURED_ROW_EXPIRED": "Nobody settled a captured row in time: it was let go, and only this entry is left of it.",
    "DEAD_LETTER_EXPIRED": "Nobody looked at the dead letter of a sign-up in time: it was let go, and the user is tried again.",
    "SOURCE_PAUSED": "A profile source was stopped: by a person, or by a sweep that found more than anybody expected.",
    "SOURCE_RESUMED": "A person lets a profile source go on.",
    "USERS_WITHOUT_PROFILE_DETECTED": "The sweep found users that no event had announced.",
    "ORPHANED_ORDER_DETECTED": "Orders without profile: counted anew, or taken or changed by a repair.",
    "ORPHANED_LEAD_DETECTED": "Leads without profile: counted anew, or taken or changed by a repair.",
    "ORPHANED_CONVERSATION_DETECTED": "Conversations without profile: counted anew, or taken or changed by a repair.",
    "ORPHANED_CHAT_MESSAGE_DETECTED": "Messages without sender or conversation: counted anew, or taken or changed by a repair.",
    "FOREIGN_KEY_LOST": "The sweep found a reference that a valid foreign key had held, and none holds any more.",
    "FOREIGN_KEY_VALIDATED": "The sweep found that a valid foreign key holds a reference again, or at last.",
    "REFERENCING_ROW_QUARANTINED": "A row went into the quarantine because it refers, by however many keys, to an orphan.",
    "QUARANTINED_ROW_RESTORED": "Rows that a repair had taken away or changed are what they were.",
}
"""Every error type that pgmend itself writes, unless a guard names another one for its replays, and what it means."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One row of ``error_logs``; the database adds the time."""

    error_type: str
    severity: Severity
    message: str
    user_id: str | None = None
    table_name: str | None = None
    constraint_name: str | None = None
    sqlstate: str | None = None
    attempt: int | None = None
    event_id: int | None = None
    correlation_id: str | None = None
    details: dict[str, object] = field(default_factory=dict)


def profile_created(event: Event, duration_ms: float) -> AuditEntry:
    """Return the entry for a profile made in the careful lane."""
    return _entry(
        event,
        "MISSING_PROFILE_CREATED",
        "info",
        "the missing profile was created",
        {
            "verdict": "healed",
            "source_id": event.source_id,
            "lane": "careful",
            "waited_ms": round(event.age * 1000 + duration_ms),
        },
    )


def insert_replayed(event: Event, duration_ms: float) -> AuditEntry:
    """Return the entry for a captured insert that stands now."""
    error_type = event.capture.replayed_error_type if event.capture else "INSERT_REPLAYED"
    details: dict[str, object] = {"verdict": "healed", "waited_ms": round(event.age * 1000 + duration_ms)}
    return _entry(event, error_type, "info", "the captured insert was replayed", details)


def insert_found_stored(event: Event) -> AuditEntry:
    """Return the entry for a captured insert that somebody else has made good."""
    return _entry(
        event, "INSERT_FOUND_STORED", "info", "the captured row stands already; nothing was written", {"verdict": "already_whole"}
    )


def erased_user_event_dropped(event: Event) -> AuditEntry:
    """Return the entry for an event whose user is gone. It carries no personal value."""
    details: dict[str, object] = {"verdict": "erased", "kind": event.kind, "source_id": event.source_id}
    return _entry(event, "ERASED_USER_EVENT_DROPPED", "info", "the user is erased; nothing was made", details)


def event_dead_lettered(event: Event, letter: SetAside) -> AuditEntry:
    """Return the entry for an event set aside."""
    entry = _entry(
        event,
        "EVENT_DEAD_LETTERED",
        "error",
        letter.failure.message,
        {
            "kind": event.kind,
            "source_id": event.source_id,
            "verdict": letter.verdict,
            "hint": letter.hint,
            "column": letter.failure.column,
        },
    )
    constraint = letter.failure.constraint or entry.constraint_name
    return replace(entry, sqlstate=letter.failure.sqlstate, constraint_name=constraint)


def _entry(event: Event, error_type: str, severity: Severity, message: str, details: dict[str, object]) -> AuditEntry:
    return AuditEntry(
        error_type=error_type,
        severity=severity,
        message=message,
        user_id=event.user_key,
        table_name=event.capture.referencing_table if event.capture else None,
        constraint_name=event.capture.constraint_name if event.capture else None,
        attempt=event.attempt,
        event_id=event.event_id,
        correlation_id=event.correlation_id,
        details=details,
    )
