"""How the parts of the terminal view are drawn."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from rich import box
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from demo.invariants import Verdict
from demo.sample import Sample

_BLOCKS = " ▁▂▃▄▅▆▇█"
_BAR_WIDTH = 48
_INDENT = (0, 0, 0, 2)


@dataclass(slots=True)
class Phase:
    """One thing after the other; ``seconds`` is None while it lasts."""

    name: str
    started: float = field(default_factory=time.monotonic)
    seconds: float | None = None
    events: list[str] = field(default_factory=list)


def draw_phase(phase: Phase) -> Text:
    """Draw a phase in one line: a tick and a duration when it is done."""
    name, _, rest = phase.name.partition(": ")
    done = phase.seconds is not None
    seconds = time.monotonic() - phase.started if phase.seconds is None else phase.seconds
    return Text.assemble(
        ("  ✔ " if done else "  ● ", "green" if done else "cyan"),
        (f"{seconds:4.1f} s  ", "dim"),
        (f"{name:<11}", "" if done else "bold"),
        (rest, "dim" if done else ""),
    )


def draw_sample(sample: Sample, depths: Sequence[int]) -> Padding:
    """Draw where everything stands, with the outbox over the last seconds."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", min_width=12)
    grid.add_column(justify="right", min_width=7)
    grid.add_column()
    bar = ProgressBar(
        total=sample.planned, completed=sample.signed_up, width=_BAR_WIDTH, complete_style="cyan", finished_style="cyan"
    )
    grid.add_row("signed up", f"{sample.signed_up:,}", bar)
    grid.add_row("healed", f"{sample.healed:,}", Text("profiles the workers made", "dim"))
    grid.add_row("replayed", f"{sample.replayed:,}", Text("captured inserts and conversations", "dim"))
    grid.add_row("outbox", f"{sample.outbox:,}", Text(sparkline(depths), "yellow"))
    grid.add_row("dead letters", f"{sample.dead_letters:,}", Text("set aside for a person", "dim"))
    grid.add_row("workers", str(len(sample.workers)), _pids(sample.workers))
    return Padding(grid, _INDENT)


def draw_verdicts(verdicts: Iterable[Verdict]) -> Padding:
    """Draw the table of invariants."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), header_style="dim", pad_edge=False)
    table.add_column("invariant", min_width=40)
    for name in ("found", "expected"):
        table.add_column(name, justify="right")
    table.add_column("ok", justify="center")
    table.add_column("among", justify="right", style="dim")
    for verdict in verdicts:
        table.add_row(
            verdict.name,
            f"{verdict.found:,}",
            f"{verdict.expected:,}",
            Text("✔", "green") if verdict.holds else Text("✘", "bold red"),
            f"{verdict.checked:,}",
            style=None if verdict.holds else "red",
        )
    return Padding(table, _INDENT)


def draw_figures(lines: Iterable[tuple[str, str]]) -> Padding:
    """Draw the figures below the invariants, names to the left."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in lines:
        grid.add_row(name, Text(value))
    return Padding(grid, _INDENT)


def sparkline(depths: Sequence[int]) -> str:
    """Return one block for each depth, the deepest the highest; anything above nothing is seen."""
    deepest = max(depths, default=0)
    if deepest == 0:
        return ""
    top = len(_BLOCKS) - 1
    return "".join(_BLOCKS[-(-depth * top // deepest)] for depth in depths)


def _pids(pids: Sequence[int]) -> Text:
    if not pids:
        return Text("killed with SIGKILL; the storm goes on without them", "bold red")
    return Text(f"pid {' '.join(map(str, pids))}", "dim")
