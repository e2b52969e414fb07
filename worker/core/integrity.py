"""Integrity as it was counted last: users without a profile, by source, and orphans, by reference."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class UsersCounted:
    """The users of one profile source; None where they were not counted yet. ``overdue``: nobody has just signed up."""

    source_id: int
    users_table: str
    profiles_table: str
    users: int | None
    without_profile: int | None
    overdue: int | None
    overdue_since: datetime | None
    counted_at: datetime | None

    @property
    def coverage(self) -> float | None:
        """Return the share of users with a profile, None where nobody knows."""
        if self.users is None or self.without_profile is None:
            return None
        return 1.0 if not self.users else max(0.0, 1 - self.without_profile / self.users)


@dataclass(frozen=True, slots=True)
class OrphansCounted:
    """The orphans of one reference."""

    reference: str
    referencing_table: str
    constraint_name: str | None
    orphans: int
    orphans_since: datetime | None
    counted_at: datetime


@dataclass(frozen=True, slots=True)
class Integrity:
    """Everything that was counted last."""

    sources: tuple[UsersCounted, ...]
    references: tuple[OrphansCounted, ...]

    @property
    def users(self) -> int:
        """Return how many users there are that were counted."""
        return sum(source.users or 0 for source in self.sources)

    @property
    def without_profile(self) -> int:
        """Return how many of them have no profile."""
        return sum(source.without_profile or 0 for source in self.sources)

    @property
    def overdue(self) -> int:
        """Return how many have none although nobody has just signed up."""
        return sum(source.overdue or 0 for source in self.sources)

    @property
    def orphans(self) -> int:
        """Return how many rows lead nowhere."""
        return sum(reference.orphans for reference in self.references)

    @property
    def coverage(self) -> float | None:
        """Return the share of all users with a profile, None where nobody knows."""
        known = [source for source in self.sources if source.users is not None and source.without_profile is not None]
        users = sum(source.users or 0 for source in known)
        if not known:
            return None
        return 1.0 if not users else max(0.0, 1 - sum(source.without_profile or 0 for source in known) / users)

    @property
    def counted_at(self) -> datetime | None:
        """Return when the users were counted whose count is oldest, None where those of a source never were."""
        times = [source.counted_at for source in self.sources]
        return min((at for at in times if at), default=None) if all(times) else None
