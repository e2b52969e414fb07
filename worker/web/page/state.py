"""The state line: whether users are whole, and if not, what is wrong and the command that mends it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from worker.core.status import SourceStatus, Status
from worker.web.page.debt import Debt
from worker.web.page.shown import age

LATE_SECONDS = 60.0
"""An event that could be claimed and was not for so long is late."""

ORDINARY_COVERAGE = 0.99
"""There are always some who have just signed up. Where more than that were without a profile, nobody is called whole."""

STALE_COUNT_SECONDS = 900.0
"""A count of users that is older says little about now."""


_NOBODY_KNOWS = "Nobody knows whether users are whole: healing fails."


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is wrong. ``is_grave``: users or rows suffer from it now."""

    what: str
    command: str
    is_grave: bool = True


@dataclass(frozen=True, slots=True)
class State:
    """One sentence, and what stands behind it."""

    sentence: str
    troubles: tuple[Trouble, ...] = ()

    @property
    def is_broken(self) -> bool:
        """Return whether anything is wrong at all."""
        return bool(self.troubles)


def judge(status: Status, debt: Debt) -> State:
    """Say whether users are whole, as far as anybody has counted."""
    if not status.sources:
        return State("Nothing is attached yet.", (Trouble("No application is looked after.", "pgmend attach"),))
    troubles = (*_failing(status), *_debt(status), *_standstill(status, debt), *_letters(status))
    sentence = _NOBODY_KNOWS if status.failing else _sentence(troubles, debt)
    return State(sentence, tuple(sorted(troubles, key=lambda trouble: not trouble.is_grave)))


def _sentence(troubles: Sequence[Trouble], debt: Debt) -> str:
    if debt.overdue:
        return f"{_count(debt.overdue, 'user is', 'users are')} not whole."
    if debt.counted_at is None:
        return "Nobody has counted yet."
    if debt.coverage is not None and debt.coverage < ORDINARY_COVERAGE:
        return f"{_count(debt.without_profile, 'user was', 'users were')} on the way to a profile when they were counted."
    if debt.orphans:
        return f"Users are whole, but {_count(debt.orphans, 'row leads', 'rows lead')} nowhere."
    if any(trouble.is_grave for trouble in troubles):
        return "Users were whole, and work has stopped."
    return "Users are whole, and a person is needed." if troubles else "Users are whole."


def _failing(status: Status) -> Iterator[Trouble]:
    for source in status.failing:
        events = _count(source.failing_events, "event comes", "events come")
        what = f"Nothing of {source.users_table} can be healed: {source.failure}; {events} back with it"
        yield Trouble(what, "pgmend doctor")


def _debt(status: Status) -> Iterator[Trouble]:
    for source in status.sources:
        if source.overdue:
            is_of_before = source.failure is not None
            counted = " when they were counted last" if is_of_before else ""
            what = f"{_count(source.overdue, 'user', 'users')} without a profile{counted}, in {source.users_table}"
            yield Trouble(what, _mend_of_debt(source))
    for reference in status.orphans:
        if reference.orphans:
            what = f"{_count(reference.orphans, 'row', 'rows')} of {reference.reference} without what they refer to"
            yield Trouble(what, "pgmend diagnose")


def _mend_of_debt(source: SourceStatus) -> str:
    """Return what to run: nothing is made of a source that is paused or fails, and first somebody has to look why."""
    if source.paused_at is not None:
        return "pgmend diagnose"
    return "pgmend heal --all" if source.failure is None else "pgmend doctor"


def _standstill(status: Status, debt: Debt) -> Iterator[Trouble]:
    for source in status.paused:
        why = f": {source.paused_because}" if source.paused_because else ""
        then = f"Find out first where the profiles went; then pgmend resume --source {source.source_id}"
        yield Trouble(f"{source.users_table} is paused{why}. {then}", "pgmend diagnose")
    alive = [worker for worker in status.workers if worker.is_alive]
    if not alive:
        yield Trouble("No worker is at work.", "pgmend run")
    elif not any(worker.state == "listening" for worker in alive):
        yield Trouble("No worker hears the doorbell; they poll.", "pgmend doctor", is_grave=False)
    if (status.backlog.overdue or 0) > LATE_SECONDS:
        yield Trouble(f"An event has been due for {age(status.backlog.overdue)}.", "pgmend events list")
    if debt.counted_at is None or (status.seen_at - debt.counted_at).total_seconds() > STALE_COUNT_SECONDS:
        yield Trouble("No sweep has counted users lately.", "pgmend doctor", is_grave=False)


def _letters(status: Status) -> Iterator[Trouble]:
    for group in status.letters:
        more = "more than " if group.is_more else ""
        letters = _count(min(group.letters, group.counted_up_to), "dead letter", "dead letters")
        yield Trouble(f"{more}{letters}: {group.verdict}", "pgmend dead-letters list", is_grave=False)


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def unknown(outage: str) -> State:
    """Return the state that nobody knows."""
    return State("Nobody knows whether users are whole.", (Trouble(outage, "pgmend doctor"),))
