"""One command of pgmend that has run: what it printed, and how it ended."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ran:
    """One command that has ended. ``expected``: the exit status that the story says it has."""

    command: str
    expected: int
    status: int
    lines: Sequence[str]
