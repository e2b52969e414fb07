"""The drawing of the last hour: shapes whose places are percentages, so that nothing but lines scales and text stays text."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from worker.core.status import Minute

_BAR_SHARE = 0.7
_MARGIN = 4.0
"""Percent above the highest value and, in the drawing of times, below the lowest."""

_BARS: tuple[tuple[str, Callable[[Minute], int]], ...] = (
    ("healed", lambda minute: minute.healed),
    ("replayed", lambda minute: minute.replayed),
)
_LINES: tuple[tuple[str, Callable[[Minute], float | None]], ...] = (
    ("most", lambda minute: minute.p99_ms),
    ("half", lambda minute: minute.p50_ms),
)


@dataclass(frozen=True, slots=True)
class Bar:
    """One kind of outcome in one minute."""

    kind: str
    x: str
    y: str
    width: str
    height: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A line across the drawing, at a value."""

    value: float
    y: str


@dataclass(frozen=True, slots=True)
class Point:
    """One time in one minute."""

    kind: str
    x: str
    y: str


@dataclass(frozen=True, slots=True)
class Segment:
    """A line between the times of two minutes that follow each other."""

    kind: str
    x1: str
    y1: str
    x2: str
    y2: str


@dataclass(frozen=True, slots=True)
class Throughput:
    """Bars for each minute, and the rule at the top of their scale."""

    bars: tuple[Bar, ...]
    top: Rule


@dataclass(frozen=True, slots=True)
class Times:
    """Points and segments on a logarithmic scale, in milliseconds."""

    points: tuple[Point, ...]
    segments: tuple[Segment, ...]
    rules: tuple[Rule, ...]


def throughput(minutes: Sequence[Minute]) -> Throughput:
    """Draw how much each minute has put right."""
    top = _round_up(max((minute.healed + minute.replayed for minute in minutes), default=0))
    slot = 100 / max(1, len(minutes))
    bars = [bar for place, minute in enumerate(minutes) for bar in _stack(minute, place * slot, slot, top)]
    return Throughput(tuple(bars), Rule(top, _percent(_MARGIN)))


def times(minutes: Sequence[Minute]) -> Times:
    """Draw how long healing took."""
    values = [value for minute in minutes for _, of in _LINES if (value := of(minute)) is not None]
    if not values:
        return Times((), (), ())
    scale = _Scale.around(values)
    rules = tuple(Rule(10.0**decade, scale.y(10.0**decade)) for decade in range(scale.low, scale.high + 1))
    slot = 100 / len(minutes)
    points: list[Point] = []
    segments: list[Segment] = []
    for kind, of in _LINES:
        line = [
            Point(kind, _percent((place + 0.5) * slot), scale.y(value)) if value is not None else None
            for place, value in enumerate(map(of, minutes))
        ]
        points.extend(point for point in line if point)
        segments.extend(_segments(line))
    return Times(tuple(points), tuple(segments), rules)


@dataclass(frozen=True, slots=True)
class _Scale:
    """A logarithmic scale from one power of ten to another."""

    low: int
    high: int

    @classmethod
    def around(cls, values: list[float]) -> "_Scale":
        low = math.floor(math.log10(max(1.0, min(values))))
        return cls(low, max(math.ceil(math.log10(max(1.0, *values))), low + 1))

    def y(self, value: float) -> str:
        share = (math.log10(max(value, 10.0**self.low)) - self.low) / (self.high - self.low)
        return _percent(100 - _MARGIN - share * (100 - 2 * _MARGIN))


def _segments(line: Sequence[Point | None]) -> Iterator[Segment]:
    for one, other in pairwise(line):
        if one and other:
            yield Segment(one.kind, one.x, one.y, other.x, other.y)


def _stack(minute: Minute, left: float, slot: float, top: float) -> Iterable[Bar]:
    scale = (100 - _MARGIN) / top
    x, width = _percent(left + slot * (1 - _BAR_SHARE) / 2), _percent(slot * _BAR_SHARE)
    below = 0
    for kind, of in _BARS:
        if of(minute):
            yield Bar(kind, x, _percent(100 - (below + of(minute)) * scale), width, _percent(of(minute) * scale))
        below += of(minute)


def _round_up(value: int) -> float:
    """Return the next number of one digit, and of noughts."""
    power = 10.0 ** math.floor(math.log10(max(1, value)))
    return next(step * power for step in range(1, 11) if step * power >= value)


def _percent(value: float) -> str:
    return f"{value:.2f}%"
