"""The meters of one worker process: what it handled, how long that took, and what went wrong."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, get_args

from worker.core.decision import LETTER_VERDICTS, Acknowledge, Release, SetAside
from worker.core.meter import Count, Spread
from worker.core.outcome import Done, Outcome, name_of

Role = Literal["consumer", "listener", "sweeper"]
Lane = Literal["express", "careful"]

SIGN_UP, CAPTURE = "user_created", "insert_failed"
OUTCOMES = {
    SIGN_UP: ("healed", "already_whole", "erased", "not_eligible", "handed_over", "released", "dead_lettered"),
    CAPTURE: ("replayed", "already_whole", "erased", "released", "dead_lettered"),
}
FOREIGN_KEY_VIOLATION = "23503"
OTHER = "other"

_SQLSTATE_CLASSES = frozenset(re.findall("..", "08090A0B2021222324252627282B2D2F3438393B3D3F4042445354555758F0HVP0PMXX"))
_DURATIONS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_LONG_DURATIONS = (*_DURATIONS, 60.0, 300.0, 1800.0, 7200.0, 86_400.0)


def _counts(name: str, text: str, label: str, values: tuple[str, ...]) -> Count:
    return Count(name, text, (label,), tuple((value,) for value in values))


@dataclass(slots=True)
class Meters:
    """Everything that one worker counts. Labels take their values from lists in the code, never from data."""

    events: Count = field(
        default_factory=lambda: Count(
            "pgmend_events",
            "Handlings of events by kind and outcome; handed_over: from the express lane to the careful one",
            ("kind", "outcome"),
            tuple((kind, outcome) for kind, outcomes in OUTCOMES.items() for outcome in outcomes),
        )
    )
    dead_lettered: Count = field(
        default_factory=lambda: _counts(
            "pgmend_events_dead_lettered", "Events set aside for a person, by verdict", "verdict", LETTER_VERDICTS
        )
    )
    attempts: Spread = field(
        default_factory=lambda: Spread(
            "pgmend_event_attempts", "The attempt that settled an event or set it aside", (1, 2, 3, 5, 10, 20, 40), ("kind",)
        )
    )
    time_to_integrity: Spread = field(
        default_factory=lambda: Spread(
            "pgmend_time_to_integrity_seconds",
            "From the event that was written to its effect, committed",
            _LONG_DURATIONS,
            ("kind",),
        )
    )
    batch_events: Spread = field(
        default_factory=lambda: Spread(
            "pgmend_batch_events", "Events of a batch that had any", (1, 3, 10, 30, 100, 300, 1000, 3000, 10_000), ("lane",)
        )
    )
    batch_duration: Spread = field(
        default_factory=lambda: Spread(
            "pgmend_batch_duration_seconds", "How long a batch that had events took, its commit included", _DURATIONS, ("lane",)
        )
    )
    rings: Count = field(default_factory=lambda: Count("pgmend_doorbell_rings", "Rings of the doorbell that the listener heard"))
    reconnects: Count = field(
        default_factory=lambda: Count("pgmend_listener_reconnects", "Connections of the listener after its first one")
    )
    connections_lost: Count = field(
        default_factory=lambda: _counts(
            "pgmend_connections_lost", "Connections that went away under their user, by role", "role", get_args(Role)
        )
    )
    errors: Count = field(
        default_factory=lambda: _counts(
            "pgmend_database_errors",
            "Errors of the database by SQLSTATE class; PM: pgmend's own",
            "sqlstate_class",
            ("08", "23", "40", "53", "57"),
        )
    )
    foreign_key_violations: Count = field(
        default_factory=lambda: _counts(
            "pgmend_foreign_key_violations",
            "SQLSTATE 23503: captured from the application, or met by the worker when it heals and replays",
            "met_by",
            ("application", "worker"),
        )
    )
    sweeps: Count = field(
        default_factory=lambda: _counts(
            "pgmend_sweeps",
            "Sweeps by outcome; left_to_another: another worker was sweeping",
            "outcome",
            ("finished", "failed", "left_to_another"),
        )
    )
    sweep_duration: Spread = field(
        default_factory=lambda: Spread(
            "pgmend_sweep_duration_seconds", "How long a sweep took, its counting included", _LONG_DURATIONS
        )
    )
    sweep_finds: Count = field(
        default_factory=lambda: Count("pgmend_sweep_found_users", "Users without a profile that sweeps have found and announced")
    )
    expired: Count = field(
        default_factory=lambda: Count("pgmend_captured_rows_expired", "Captured rows that nobody settled in time, let go")
    )
    log_lines_lost: Count = field(
        default_factory=lambda: Count("pgmend_log_lines_lost", "Lines of the log that could not be written when they were due")
    )
    observations: Count = field(
        default_factory=lambda: _counts(
            "pgmend_observations", "Statements that asked the database for what /metrics shows", "outcome", ("answered", "failed")
        )
    )

    def __iter__(self) -> Iterator[Count | Spread]:
        """Yield every meter."""
        for name in self.__dataclass_fields__:
            yield getattr(self, name)

    def saw_error(self, sqlstate: str) -> None:
        """Count an error of the database."""
        known = sqlstate[:2] if sqlstate[:2] in _SQLSTATE_CLASSES else OTHER
        self.errors.add(known)
        if sqlstate == FOREIGN_KEY_VIOLATION:
            self.foreign_key_violations.add("worker")

    def saw_outcome(self, outcome: Outcome, waited: float) -> None:
        """Count one event of the careful lane, ``waited`` seconds after it was written."""
        event, result = outcome.event, outcome.result
        if event.capture and event.attempt == 1:
            self.foreign_key_violations.add("application")
        self.events.add(event.kind, name_of(result))
        match result:
            case Release(failure=failure):
                self.saw_error(failure.sqlstate)
                return
            case SetAside(verdict=verdict, failure=failure):
                self.saw_error(failure.sqlstate)
                self.dead_lettered.add(verdict)
            case Done():
                self.time_to_integrity.add(waited, event.kind)
            case Acknowledge():
                pass
        self.attempts.add(event.attempt, event.kind)

    def saw_batch(self, lane: Lane, events: int, seconds: float) -> None:
        """Count a batch."""
        if events:
            self.batch_events.add(events, lane)
            self.batch_duration.add(seconds, lane)
