"""Backfills: missing profiles made in the order of the users' keys, batch by batch."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from worker.core.failure import Failure


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the database refuses so many profiles."""

    failure: Failure
    users: int


@dataclass(frozen=True, slots=True)
class BackfillBatch:
    """What one batch did. ``last_key``: the last user looked at, None where there was nobody after the last batch."""

    last_key: str | None
    looked: int
    healed: int
    refusals: tuple[Refusal, ...] = ()


@dataclass(frozen=True, slots=True)
class BackfillResult:
    """What a whole backfill of a source did."""

    source_id: int
    looked: int
    healed: int
    refusals: tuple[Refusal, ...]

    @property
    def refused(self) -> int:
        """Return how many profiles the database refused."""
        return sum(refusal.users for refusal in self.refusals)


def gathered(refusals: Iterable[Refusal]) -> tuple[Refusal, ...]:
    """Return refusals with those of the same failure as one, the most frequent first."""
    users: Counter[Failure] = Counter()
    for refusal in refusals:
        users[refusal.failure] += refusal.users
    return tuple(Refusal(failure, count) for failure, count in users.most_common())
