"""The integrity debt of all sources and references together, as the sweep counted it last."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from worker.core.status import OrphanCount, SourceStatus, Status


@dataclass(frozen=True, slots=True)
class Debt:
    """``users`` are entitled to a profile; ``overdue`` are those without one who have not just signed up.

    ``counted_at``: the oldest count, None where a source was never counted.
    """

    users: int
    without_profile: int
    overdue: int
    coverage: float | None
    orphans: int
    counted_at: datetime | None


def debt_of(status: Status) -> Debt:
    """Add up what was counted."""
    known = [source for source in status.sources if source.coverage is not None]
    users = sum(source.users or 0 for source in known)
    missing = sum(source.without_profile or 0 for source in known)
    return Debt(
        users=users,
        without_profile=sum(source.without_profile or 0 for source in status.sources),
        overdue=sum(source.overdue or 0 for source in status.sources),
        coverage=_share(users, missing) if known else None,
        orphans=_orphans(status.orphans),
        counted_at=_oldest(status.sources),
    )


def _share(users: int, missing: int) -> float:
    return 1 - min(missing, users) / users if users else 1.0


def _orphans(references: Sequence[OrphanCount]) -> int:
    return sum(reference.orphans for reference in references)


def _oldest(sources: Sequence[SourceStatus]) -> datetime | None:
    times = [source.counted_at for source in sources]
    return min((at for at in times if at), default=None) if all(times) else None
