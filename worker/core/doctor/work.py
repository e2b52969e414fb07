"""Judgements on the work: whether a worker is there, what waits for it, and what waits for a person."""

from dataclasses import dataclass

from worker.core.finding import Finding, found
from worker.core.last_seen import LastSeen
from worker.core.quoting import literal
from worker.core.wording import counted

OVERDUE_SECONDS = 60.0
MOST_EVENTS = 10_000
"""Events are counted up to this many."""

_LETTERS_OF = "select event_id from pgmend.dead_letters where verdict ="


@dataclass(frozen=True, slots=True)
class Backlog:
    """The outbox: how many events, up to MOST_EVENTS, and how many seconds the oldest that could be claimed has been due."""

    events: int
    overdue: float

    @property
    def said(self) -> str:
        """Return both in words."""
        number = counted(self.events, "event") + (" or more" if self.events >= MOST_EVENTS else "")
        return f"{number}, the oldest due for {self.overdue:,.1f} s" if self.overdue > 0 else number


@dataclass(frozen=True, slots=True)
class Letters:
    """The dead letters of one verdict, with the hint of the oldest."""

    verdict: str
    count: int
    hint: str


def judge_worker(last: LastSeen) -> list[Finding]:
    """Return whether a worker is missing."""
    if last.is_alive:
        return []
    return [found("worker_not_seen", "pgmend.workers", what=last.said(), mend="pgmend run")]


def judge_backlog(backlog: Backlog) -> list[Finding]:
    """Return whether events wait for too long."""
    if backlog.overdue <= OVERDUE_SECONDS:
        return []
    what = f"the oldest has been due for {backlog.overdue:,.0f} s"
    return [found("events_overdue", "pgmend.outbox", what=what, mend="pgmend run")]


def judge_letters(letters: list[Letters]) -> list[Finding]:
    """Return one finding for each verdict."""
    return [
        found(
            "dead_letters_waiting",
            letter.verdict,
            what=f"{counted(letter.count, 'dead letter')}. {letter.hint}",
            mend=f"select pgmend.requeue(array({_LETTERS_OF} {literal(letter.verdict)}));",
        )
        for letter in letters
    ]
