"""What a spectator sees: the same few calls for a terminal and for a pipe."""

import sys
from typing import Protocol

from demo.plain_view import PlainView
from demo.result import Result
from demo.sample import Sample


class View(Protocol):
    """What the performance tells the spectator."""

    def begin(self, title: str) -> None:
        """Say what is played."""

    def phase(self, name: str) -> None:
        """Say what begins now; what went before is done."""

    def event(self, text: str) -> None:
        """Say that something worth a line has happened."""

    def show(self, sample: Sample) -> None:
        """Show where everything stands."""

    def end(self) -> None:
        """Stop showing what goes on; called in any case, before anything else is printed."""

    def result(self, result: Result) -> None:
        """Show the invariants and the figures."""


def make_view() -> View:
    """Return the view that suits stdout."""
    if sys.stdout.isatty():
        try:
            from demo.terminal_view import TerminalView  # noqa: PLC0415  rich is no dependency of a pipe
        except ImportError:
            pass
        else:
            return TerminalView()
    return PlainView()
