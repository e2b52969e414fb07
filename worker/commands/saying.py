"""Saying: what a command tells a person, a line each. A value that came from elsewhere commands no terminal and ends no line."""

import sys
from collections.abc import Iterable, Iterator
from typing import TextIO

from worker.core.quoting import visible

_LONGEST_LINE = 4000
_WIDEST_CELL = 80


def say(lines: Iterable[str], *, stream: TextIO | None = None) -> None:
    """Print lines to stdout, or to the stream, at once."""
    out = stream or sys.stdout
    out.writelines(f"{line}\n" for line in shown(lines))
    out.flush()


def shown(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines as a person is to see them."""
    return (_within(line, _LONGEST_LINE) for line in lines)


def brief(value: object) -> str:
    """Return a value no wider than leaves room for others beside it."""
    return _within(str(value), _WIDEST_CELL)


def _within(text: str, most: int) -> str:
    seen = visible(text[: most + 1])
    return seen if len(seen) <= most else f"{seen[: most - 1]}…"
