"""What one handling of an event came to, and the audit entries that follow from it."""

from dataclasses import dataclass

from worker.core import audit
from worker.core.audit import AuditEntry
from worker.core.decision import Acknowledge, Release, SetAside, Verdict
from worker.core.event import Event


@dataclass(frozen=True, slots=True)
class Done:
    """The effect stands. ``healed``: we made the profile; ``replayed``: we ran the captured insert."""

    healed: bool
    replayed: bool

    @property
    def verdict(self) -> Verdict:
        """Return the verdict that the facts had, now that they are whole."""
        return "healed" if self.healed or self.replayed else "already_whole"


Result = Done | Acknowledge | Release | SetAside


@dataclass(frozen=True, slots=True)
class Outcome:
    """An event, what became of it, how long the handling took (milliseconds), and when it began (``time.perf_counter``)."""

    event: Event
    result: Result
    duration_ms: float
    began: float = 0.0


def audit_entries(outcome: Outcome) -> list[AuditEntry]:
    """Return one entry for each effect; an event that is released leaves none."""
    event = outcome.event
    match outcome.result:
        case Done(healed=healed, replayed=replayed):
            entries = [audit.profile_created(event, outcome.duration_ms)] if healed else []
            return [*entries, audit.insert_replayed(event, outcome.duration_ms)] if replayed else entries
        case Acknowledge(verdict="already_whole") if event.capture:
            return [audit.insert_found_stored(event)]
        case Acknowledge(verdict="erased"):
            return [audit.erased_user_event_dropped(event)]
        case SetAside() as letter:
            return [audit.event_dead_lettered(event, letter)]
        case Acknowledge() | Release():
            return []


def name_of(result: Result) -> str:
    """Return the name by which meters and spans know a result."""
    match result:
        case Done(replayed=True):
            return "replayed"
        case Done(healed=True):
            return "healed"
        case Done():
            return "already_whole"
        case Acknowledge(verdict=verdict):
            return verdict
        case Release():
            return "released"
        case SetAside():
            return "dead_lettered"
