"""How many rows one batch takes: as many as fit into a moment, fewer after somebody was in the way."""

from dataclasses import dataclass, field

_FIRST = 200
_LEAST = 10
_MOST = 20_000


@dataclass(slots=True)
class BatchSize:
    """``given``: always so many. Otherwise as many as take about ``moment`` seconds."""

    given: int | None = None
    moment: float = 0.2
    limit: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        """Begin small: nobody knows yet how long a row takes."""
        self.limit = self.given or _FIRST

    def took(self, seconds: float) -> None:
        """Grow or shrink towards the moment: tenfold at most, and down to a half."""
        if self.given is None:
            factor = min(max(self.moment / max(seconds, 0.001), 0.5), 10.0)
            self.limit = min(max(int(self.limit * factor), _LEAST), _MOST)

    def failed(self) -> None:
        """Take half as many: the batch met a lock."""
        self.limit = max(self.limit // 2, 1)

    def recovered(self) -> None:
        """After a success, a given size is what it was."""
        self.limit = self.given or self.limit
