"""The pace of the express lane: how many sign-ups one statement takes.

A batch that fails as a whole, for a reason that the server could not tie to a row, is tried again with a tenth of the rows, until
the one that fails stands alone. That one is stuck, and is handed over to the careful lane.
"""

from dataclasses import dataclass, field

_FACTOR = 10


@dataclass(slots=True)
class Pace:
    """``most`` rows a statement, and fewer after a failure."""

    most: int = 1000
    limit: int = field(default=0, init=False)
    is_stuck: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        """Start at full pace."""
        self.limit = self.most

    def failed(self) -> None:
        """Take fewer rows from now on; one that failed alone is stuck."""
        self.is_stuck = self.limit == 1
        self.limit = max(self.limit // _FACTOR, 1)

    def succeeded(self) -> None:
        """Take more again."""
        self.limit = min(self.limit * _FACTOR, self.most)

    def handed_over(self) -> None:
        """Go on behind the row that was stuck."""
        self.is_stuck = False
