"""Rounds: every lane once, then all of them again; what counts is the median of the ratios within a round."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from statistics import median

Lane = Callable[[], Awaitable[float]]
"""Runs once and returns its value, in the unit of the measurement."""


@dataclass(frozen=True, slots=True)
class Rounds:
    """The values of every lane, one for each round."""

    values: dict[str, list[float]] = field(default_factory=dict)

    def median(self, lane: str) -> float:
        """Return the middle value of a lane."""
        return median(self.values[lane])

    def ratio(self, lane: str, reference: str) -> float:
        """Return the middle of the ratios of two lanes, each taken within one round."""
        return median(a / b for a, b in zip(self.values[lane], self.values[reference], strict=True))


async def interleave(count: int, lanes: Mapping[str, Lane]) -> Rounds:
    """Run all lanes ``count`` times in turn, so that a slow minute of the machine hits them alike."""
    rounds = Rounds({name: [] for name in lanes})
    for _ in range(count):
        for name, lane in lanes.items():
            rounds.values[name].append(await lane())
    return rounds
