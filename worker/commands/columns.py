"""Columns: rows of text aligned below their headings, and times and spans as a person reads them."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from worker.commands.saying import brief

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86_400.0


def columns(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Yield the headings and a line for each row, all but its last cell cut to a width; None is a dash."""
    lines = [list(headings), *([*map(brief, cells[:-1]), cells[-1]] for cells in (list(map(_cell, row)) for row in rows))]
    widths = [max(map(len, column)) for column in zip(*(line[:-1] for line in lines), strict=True)]
    for *cells, last in lines:
        yield "  ".join((*map(str.ljust, cells, widths), last)).rstrip()


def span(seconds: float | None) -> str:
    """Return a span of time: ``12 s``, ``4 min``, ``3 h``, ``2 d``; a dash where there is none."""
    if seconds is None:
        return "-"
    if seconds < _MINUTE:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"  # noqa: PLR2004 - a tenth matters only there
    for unit, name, end in ((_MINUTE, "min", _HOUR), (_HOUR, "h", _DAY)):
        if seconds < end:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds / _DAY:.0f} d"


def moment(at: datetime) -> str:
    """Return a time in UTC as it is sorted: ``2026-01-01 12:00:00.123``."""
    return at.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return moment(value) if isinstance(value, datetime) else str(value)
