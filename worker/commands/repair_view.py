"""A repair as text: the plan, how far it has come, and what came of it."""

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TextIO

from worker.core.doctor.wording import counted
from worker.core.quoting import visible
from worker.core.reference import Reference
from worker.core.repair_plan import Plan, PlannedStep
from worker.repair_run import Progress
from worker.store.repairs import Step

_PLAIN_LINE_SECONDS = 5.0

_MEANINGS = {
    "heal": "make the profile by the source's recipe",
    "quarantine": "move the rows, and the rows that refer to them, into pgmend.quarantine",
    "delete": "delete the rows, and the rows that refer to them; they are in pgmend.quarantine first",
    "reassign": "set the key to the given one",
    "nullify": "set the key to null",
    "map": "set the key to what the file says",
}
_LOCKS = (
    "locks: each batch locks the rows it takes, and waits for no row; row exclusive on the tables it changes, row share on",
    "the tables it looks at. Reads never wait, a write to a row that is being taken waits for one batch.",
)


def plan_lines(plan: Plan) -> Iterator[str]:
    """Yield the plan: a block for each reference that has orphans."""
    if not plan.steps:
        yield f"{counted(len(plan.references), 'reference')} looked at, no orphans"
        return
    for reference, steps in groupby(plan.steps, key=lambda step: step.where.reference):
        yield _heading(reference)
        for step in steps:
            yield _line(step)
    clean = len(plan.references) - len({step.where.reference.name for step in plan.steps})
    if clean:
        yield f"{counted(clean, 'more reference')} looked at, no orphans"
    if plan.acting:
        yield from _LOCKS


def result_lines(repair_id: int, steps: Sequence[Step]) -> Iterator[str]:
    """Yield what a run has done."""
    for step in steps:
        along = f", {step.rows_along:,} rows along with them" if step.rows_along else ""
        refused = f", {step.rows_refused:,} refused ({step.refusal})" if step.rows_refused else ""
        yield f"{step.reference}  {step.reason}  {step.strategy}: {step.rows_done:,} {_things(step.strategy)}{along}{refused}"
    yield f"repair {repair_id} is finished; pgmend restore {repair_id} brings the rows back"


def _heading(reference: Reference) -> str:
    if reference.constraint_name is None:
        return f"{reference.name}  (no foreign key)"
    valid = "valid" if reference.is_validated else "not valid"
    return f"{reference.name}  ({reference.constraint_name}, {valid}, on delete {reference.on_delete})"


def _line(step: PlannedStep) -> str:
    what = f"{step.rows:>12,} rows {step.keys:>10,} keys  {step.reason:<13}"
    if not step.acts:
        return f"{what} left alone: {step.why}"
    argument = f" ({step.argument})" if step.argument else ""
    return f"{what} {step.strategy}: {_MEANINGS[step.strategy or '']}{argument}"


def _things(strategy: str) -> str:
    return "profiles" if strategy == "heal" else "rows"


@dataclass(slots=True)
class ProgressView:
    """Shows progress: one line that changes on a terminal, a plain line every few seconds in a pipe."""

    stream: TextIO = field(default_factory=lambda: sys.stdout)
    _next_line_at: float = 0.0
    _is_open: bool = False

    def __call__(self, progress: Progress) -> None:
        """Show where a step is."""
        if self.stream.isatty():
            self.stream.write(f"\r\x1b[K{progress_line(progress)}")
            self._is_open = True
        elif time.monotonic() >= self._next_line_at:
            self._next_line_at = time.monotonic() + _PLAIN_LINE_SECONDS
            self.stream.write(f"{progress_line(progress)}\n")
        self.stream.flush()

    def end(self) -> None:
        """Leave the line."""
        if self._is_open:
            self.stream.write("\r\x1b[K")
            self.stream.flush()


def progress_line(progress: Progress) -> str:
    """Return rows done and planned, rate, and time left."""
    step = progress.step
    rate = progress.taken_here / progress.seconds if progress.seconds > 0 else 0.0
    left = max(step.rows_planned - progress.done, 0)
    time_left = f", {_duration(left / rate)} left" if rate and left else ""
    of = f"{progress.done:,} of {max(step.rows_planned, progress.done):,} {_things(step.strategy)}"
    return visible(f"{step.reference}  {step.reason}  {step.strategy}: {of}, {rate:,.0f}/s{time_left}")


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
