"""An observation: what one statement has read of the outbox, the dead letters, the counts of the sweep, and who is at work."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

LeaseState = Literal["asleep", "looking", "awake"]
LEASE_STATES: tuple[LeaseState, ...] = ("asleep", "looking", "awake")


@dataclass(frozen=True, slots=True)
class SourceState:
    """One profile source. Ages in seconds; what the sweep has not counted yet is None.

    ``failure``: what it fails with, whoever the user is, None while it works; ``failing_events`` come back with it.
    """

    source_id: int
    users_table: str
    profiles_table: str
    is_paused: bool
    paused_because: str | None
    users: int | None
    without_profile: int | None
    overdue: int | None
    overdue_age: float
    counted_age: float | None
    failure: str | None = None
    failing_age: float | None = None
    failing_events: int = 0

    @property
    def name(self) -> str:
        """Return the source's id as a label."""
        return str(self.source_id)

    @property
    def coverage(self) -> float | None:
        """Return the share of the users who have a profile; all of nobody is one."""
        if self.users is None or self.without_profile is None:
            return None
        return max(self.users - self.without_profile, 0) / self.users if self.users else 1.0


@dataclass(frozen=True, slots=True)
class ReferenceState:
    """One reference and its orphans. Ages in seconds."""

    reference: str
    orphans: int
    orphans_age: float
    counted_age: float


@dataclass(frozen=True, slots=True)
class Observation:
    """What the database said. Numbers of events stop at a bound, so that a flood is no costlier to look at."""

    schema_version: int
    outbox: Mapping[str, int]
    oldest_due_age: float
    dead_letters: Mapping[str, int]
    sources: tuple[SourceState, ...]
    references: tuple[ReferenceState, ...]
    workers_alive: int
    workers_listening: int
    lease: LeaseState

    @property
    def overdue(self) -> int:
        """Return how many users lack a profile that they should have by now."""
        return sum(source.overdue or 0 for source in self.sources)

    @property
    def overdue_age(self) -> float:
        """Return for how many seconds some user has been overdue at every count."""
        return max((source.overdue_age for source in self.sources), default=0.0)
