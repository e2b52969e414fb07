"""Status: how an installation stands at one moment, as far as a person on call wants to know at a glance."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """A profile source, with its users as the sweep counted them at ``counted_at``; None where it never did.

    ``users``: who is entitled to a profile; None also where the source's conditions choke on somebody. ``without_profile``: the
    integrity debt. ``overdue``: of those, who has no event of the last minute either, and since when there has been somebody.
    ``paused_because`` is set while a person is needed to resume it. ``failure``: what the source fails with, whoever the user is,
    while it does so since ``failing_since``; what was counted is then of before. ``failing_events`` come back with it.
    """

    source_id: int
    users_table: str
    profiles_table: str
    paused_at: datetime | None = None
    paused_because: str | None = None
    users: int | None = None
    without_profile: int | None = None
    overdue: int | None = None
    overdue_since: datetime | None = None
    counted_at: datetime | None = None
    failing_since: datetime | None = None
    failure: str | None = None
    failing_events: int = 0

    @property
    def coverage(self) -> float | None:
        """Return the share of entitled users who have a profile, from 0 to 1; None where nobody counted, or nobody could."""
        if self.users is None or self.without_profile is None:
            return None
        return 1.0 - min(self.without_profile, self.users) / self.users if self.users else 1.0


@dataclass(frozen=True, slots=True)
class OrphanCount:
    """The orphans of one reference, as they were counted at ``counted_at``; there have been some since ``orphans_since``."""

    reference: str
    orphans: int
    orphans_since: datetime | None
    counted_at: datetime


@dataclass(frozen=True, slots=True)
class Backlog:
    """The outbox. Each lane is counted up to ``counted_up_to`` events; more are not counted, and ``is_more`` says so.

    ``oldest_age``: seconds since the oldest event was written. ``overdue``: seconds that one which could be claimed has been
    due; events of paused sources are not due. Both None where there is no such event.
    """

    express: int
    careful: int
    counted_up_to: int
    oldest_age: float | None
    overdue: float | None

    @property
    def events(self) -> int:
        """Return how many events wait in both lanes."""
        return self.express + self.careful

    @property
    def is_more(self) -> bool:
        """Return whether there are more than were counted."""
        return max(self.express, self.careful) > self.counted_up_to


WorkerState = Literal["listening", "polling", "silent", "stopped"]


@dataclass(frozen=True, slots=True)
class WorkerSeen:
    """A worker by its last sign, ``seen_ago`` seconds ago; whether it hears the bell is known only of one that is alive."""

    worker_id: str
    host: str
    pid: int
    version: str
    state: WorkerState
    started_at: datetime
    seen_ago: float

    @property
    def is_alive(self) -> bool:
        """Return whether it is at work, as far as anybody knows."""
        return self.state in ("listening", "polling")


@dataclass(frozen=True, slots=True)
class LetterCount:
    """The dead letters of one verdict, counted up to ``counted_up_to``."""

    verdict: str
    letters: int
    counted_up_to: int
    newest_at: datetime
    hint: str

    @property
    def is_more(self) -> bool:
        """Return whether there are more than were counted."""
        return self.letters > self.counted_up_to


@dataclass(frozen=True, slots=True)
class Minute:
    """One minute of work: profiles healed and inserts replayed, counted up to ``counted_up_to``.

    ``p50_ms`` and ``p99_ms``: time to integrity, from the event written to its effect, of the last healed profiles of the minute;
    None where none was healed by a worker.
    """

    began: datetime
    healed: int
    replayed: int
    counted_up_to: int
    p50_ms: float | None
    p99_ms: float | None

    @property
    def is_more(self) -> bool:
        """Return whether more happened than was counted."""
        return max(self.healed, self.replayed) > self.counted_up_to


@dataclass(frozen=True, slots=True)
class Find:
    """What a sweep has found: so many users of a source without profile, whom no event had announced."""

    at: datetime
    source_id: int
    users: int


@dataclass(frozen=True, slots=True)
class Status:
    """How an installation stands, by the server's clock at ``seen_at``. ``minutes`` are the last sixty, oldest first."""

    seen_at: datetime
    sources: tuple[SourceStatus, ...]
    backlog: Backlog
    workers: tuple[WorkerSeen, ...]
    letters: tuple[LetterCount, ...]
    minutes: tuple[Minute, ...]
    finds: tuple[Find, ...]
    orphans: tuple[OrphanCount, ...] = ()

    @property
    def debt(self) -> int:
        """Return how many users are without a profile, as far as they were counted."""
        return sum(source.without_profile or 0 for source in self.sources)

    @property
    def paused(self) -> tuple[SourceStatus, ...]:
        """Return the sources that make nothing until a person resumes them."""
        return tuple(source for source in self.sources if source.paused_at is not None)

    @property
    def failing(self) -> tuple[SourceStatus, ...]:
        """Return the sources of which nothing can be healed or counted, whoever the user is."""
        return tuple(source for source in self.sources if source.failure is not None)
