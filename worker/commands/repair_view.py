"""A repair as text: the plan, how far it has come, and what came of it."""

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TextIO

from worker.core.quoting import visible
from worker.core.reference import Reference
from worker.core.repair_plan import Plan, PlannedStep
from worker.core.wording import counted
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
    """Yield the plan: a block for each reference that has orphans, and what was not looked at."""
    yield from _looked_at(plan)
    for it in plan.strange:
        yield f"{it.name}  not looked at: {it.why_unread}"
    if plan.strange:
        yield "--reference names one that is to be looked at all the same"
    if plan.acting:
        yield from _LOCKS


def _looked_at(plan: Plan) -> Iterator[str]:
    if not plan.references:
        yield "no reference to profiles was found; --reference orders.user_id=profiles.id names one"
        return
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


def result_lines(repair_id: int, steps: Sequence[Step]) -> Iterator[str]:
    """Yield what a run has done."""
    for step in steps:
        along = f", {counted(step.rows_along, 'row')} along with them" if step.rows_along else ""
        refused = f", {step.rows_refused:,} refused ({step.refusal})" if step.rows_refused else ""
        done = counted(step.rows_done, _thing(step.strategy))
        yield f"{step.reference}  {step.reason}  {step.strategy}: {done}{along}{refused}"
    yield f"repair {repair_id} is finished; pgmend restore {repair_id} brings the rows back"


def _heading(reference: Reference) -> str:
    if reference.constraint_name is None:
        return f"{reference.name}  (no foreign key)"
    valid = "valid" if reference.is_validated else "not valid"
    return f"{reference.name}  ({reference.constraint_name}, {valid}, on delete {reference.on_delete})"


def _line(step: PlannedStep) -> str:
    rows, keys = ("row" if step.rows == 1 else "rows"), ("key" if step.keys == 1 else "keys")
    what = f"{step.rows:>12,} {rows:<4} {step.keys:>10,} {keys:<4}  {step.reason:<13}"
    if not step.acts:
        return f"{what} left alone: {step.why}"
    argument = f" ({step.argument})" if step.argument else ""
    return f"{what} {step.strategy}: {_MEANINGS[step.strategy or '']}{argument}{_along(step)}"


def _along(step: PlannedStep) -> str:
    if not step.takes_rows:
        return ""
    if step.along is None:
        return "; how many those are was not counted"
    each = ", ".join(f"{rows:,} of {table}" for table, rows in step.along.items())
    return f"; {counted(sum(step.along.values()), 'row')} along with them: {each}" if each else ""


def _thing(strategy: str) -> str:
    return "profile" if strategy == "heal" else "row"


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
    of = f"{progress.done:,} of {counted(max(step.rows_planned, progress.done), _thing(step.strategy))}"
    return visible(f"{step.reference}  {step.reason}  {step.strategy}: {of}, {rate:,.0f}/s{time_left}")


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
