"""Figures, their targets, and the table that shows them."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from bench.picture import Picture
from bench.rounds import Rounds


@dataclass(frozen=True, slots=True)
class Target:
    """A bound on the ratio of ours to the reference."""

    bound: float
    at_most: bool = False

    def reached(self, ratio: float) -> bool:
        """Return whether the ratio keeps the bound."""
        return ratio <= self.bound if self.at_most else ratio >= self.bound

    def __str__(self) -> str:
        return f"{'<=' if self.at_most else '>='} {self.bound:g}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table: ours beside the reference, in ``unit``. The ratio is the median over the rounds."""

    name: str
    unit: str
    ours: float
    reference: float | None = None
    ratio: float | None = None
    target: Target | None = None

    @property
    def reached(self) -> bool | None:
        """Return whether the target is reached; None where there is none."""
        return None if self.target is None or self.ratio is None else self.target.reached(self.ratio)

    def as_dict(self) -> dict[str, Any]:
        """Return what the JSON says of it."""
        return asdict(self) | {"target": str(self.target) if self.target else None, "reached": self.reached}


@dataclass(frozen=True, slots=True)
class Report:
    """What one measurement found: figures, the raw values of every round, a picture."""

    name: str
    figures: Sequence[Figure]
    picture: Picture
    values: dict[str, list[float]] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return what the JSON says of it."""
        rounded = {lane: [round(value, 3) for value in values] for lane, values in self.values.items()}
        return {"figures": [figure.as_dict() for figure in self.figures], "rounds": rounded}


@dataclass(frozen=True, slots=True)
class Comparison:
    """Reads figures out of rounds whose values are all in one unit."""

    rounds: Rounds
    unit: str

    def figure(self, name: str, ours: str, reference: str | None, target: Target | None = None) -> Figure:
        """Return one lane beside another."""
        if reference is None:
            return Figure(name, self.unit, self.rounds.median(ours))
        ratio = self.rounds.ratio(ours, reference)
        return Figure(name, self.unit, self.rounds.median(ours), self.rounds.median(reference), ratio, target)


HEADINGS = ("measurement", "ours", "reference", "unit", "ratio", "target", "reached")


def table(figures: Iterable[Figure]) -> str:
    """Return the figures as lines of aligned columns."""
    rows = [HEADINGS, *(_row(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)


def number(value: float | None) -> str:
    """Return a number as a reader wants it: thousands grouped, three digits where it is small."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _row(figure: Figure) -> tuple[str, ...]:
    ratio = "-" if figure.ratio is None else f"{figure.ratio:.2f}"
    reached = {True: "yes", False: "NO", None: "-"}[figure.reached]
    target = str(figure.target or "-")
    return (figure.name, number(figure.ours), number(figure.reference), figure.unit, ratio, target, reached)
