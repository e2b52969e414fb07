"""Meters: what a process counts of itself. Plain numbers, which a scrape reads; a batch of a thousand is one call."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

Labels = tuple[str, ...]


@dataclass(slots=True)
class Count:
    """A number that only grows, for each combination of label values. ``known`` ones are there from the start, at zero."""

    name: str
    help: str
    labels: Labels = ()
    known: tuple[Labels, ...] = ((),)
    values: dict[Labels, float] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        """Begin at zero: what appears with its first occurrence has no increase that an alert could see."""
        self.values = {labels: 0.0 for labels in self.known if len(labels) == len(self.labels)}

    def add(self, *labels: str, by: float = 1) -> None:
        """Count so many more."""
        self.values[labels] = self.values.get(labels, 0.0) + by


@dataclass(slots=True)
class Buckets:
    """How many values were at most as large as each bound, the last one being infinite, and their sum."""

    counts: list[int]
    sum: float = 0.0


@dataclass(slots=True)
class Spread:
    """How values spread over ``bounds``, for each combination of label values."""

    name: str
    help: str
    bounds: tuple[float, ...]
    labels: Labels = ()
    values: dict[Labels, Buckets] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        """Begin empty."""
        self.values = defaultdict(lambda: Buckets([0] * (len(self.bounds) + 1)))

    def add(self, value: float, *labels: str, times: int = 1) -> None:
        """Take one value in, or the same one several times."""
        buckets = self.values[labels]
        buckets.counts[bisect_left(self.bounds, value)] += times
        buckets.sum += value * times

    def add_all(self, values: Iterable[float], *labels: str) -> None:
        """Take many values in: a batch of a thousand costs a fifth of what a thousand calls would."""
        ordered = sorted(values)
        buckets, below = self.values[labels], 0
        for place, bound in enumerate(self.bounds):
            up_to = bisect_right(ordered, bound, below)
            buckets.counts[place] += up_to - below
            below = up_to
        buckets.counts[-1] += len(ordered) - below
        buckets.sum += sum(ordered)
