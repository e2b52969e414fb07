"""What a spectator of the story sees: acts, commands with what they print, tables, and in the end the invariants."""

import sys
import time
from collections.abc import Sequence
from typing import Protocol

from demo.orphans.result import Result, conclusion, figures

Cell = str
Row = Sequence[Cell]


class Narrator(Protocol):
    """What the story tells the spectator."""

    def begin(self, title: str) -> None:
        """Say what is played."""

    def act(self, name: str) -> None:
        """Say which act begins."""

    def say(self, text: str) -> None:
        """Say something that is no command and no answer."""

    def command(self, text: str, prompt: str = "$") -> None:
        """Show what is typed now, in a shell (``$``) or to the server (``=>``); it may have several lines."""

    def line(self, text: str) -> None:
        """Show a line of what it answers."""

    def ended(self, left_out: int, status: int) -> None:
        """Say how it ended, and how many of its lines were not shown."""

    def table(self, rows: Sequence[Row]) -> None:
        """Show a small table, the first row its heading: the first column begins below its heading, the others end so."""

    def doing(self, text: str) -> None:
        """Say what goes on, for the time being only."""

    def end(self) -> None:
        """Stop showing what goes on; called in any case, before anything else is printed."""

    def result(self, result: Result) -> None:
        """Show the invariants and the figures."""


class PlainNarrator:
    """Prints lines."""

    def __init__(self) -> None:
        """Begin to count the seconds."""
        self._started = time.monotonic()

    def begin(self, title: str) -> None:
        """Print the title."""
        print(title, flush=True)

    def act(self, name: str) -> None:
        """Print a heading with the time."""
        print(f"\n{time.monotonic() - self._started:5.1f} s  {name}\n", flush=True)

    def say(self, text: str) -> None:
        """Print it."""
        print(text, flush=True)

    def command(self, text: str, prompt: str = "$") -> None:
        """Print it after a prompt."""
        print(prompted(text, prompt), flush=True)

    def line(self, text: str) -> None:
        """Print it below the command."""
        print(f"  {text}".rstrip(), flush=True)

    def ended(self, left_out: int, status: int) -> None:
        """Print what is worth it."""
        for text in ending(left_out, status):
            self.line(text)

    def table(self, rows: Sequence[Row]) -> None:
        """Print it aligned."""
        for line in aligned(rows):
            self.line(line)

    def doing(self, text: str) -> None:
        """Nothing: lines stay."""

    def end(self) -> None:
        """Nothing goes on by itself."""

    def result(self, result: Result) -> None:
        """Print the invariants as a table, then the figures."""
        rows: list[Row] = [("invariant", "found", "expected", "ok", "among")]
        for verdict in result.verdicts:
            ok = "yes" if verdict.holds else "NO"
            rows.append((verdict.name, f"{verdict.found:,}", f"{verdict.expected:,}", ok, f"{verdict.checked:,}"))
        print()
        for line in aligned(rows):
            print(line)
        print()
        for name, value in figures(result):
            print(f"{name:<18}  {value}")
        print(f"\n{conclusion(result)}", flush=True)


def make_narrator() -> Narrator:
    """Return the narrator that suits stdout."""
    if sys.stdout.isatty():
        try:
            from demo.orphans.terminal_narrator import TerminalNarrator  # noqa: PLC0415  rich is no dependency of a pipe
        except ImportError:
            pass
        else:
            return TerminalNarrator()
    return PlainNarrator()


def ending(left_out: int, status: int) -> list[str]:
    """Return the lines below what a command printed."""
    lines = [f"… {left_out:,} more line{'' if left_out == 1 else 's'}"] if left_out else []
    return [*lines, f"(exit status {status})"] if status else lines


def prompted(text: str, prompt: str) -> str:
    """Return what is typed after its prompt, the lines below each other."""
    indent = " " * (len(prompt) + 1)
    return f"{prompt} " + text.replace("\n", f"\n{indent}")


def aligned(rows: Sequence[Row]) -> list[str]:
    """Return a table as lines."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip() for row in rows]
