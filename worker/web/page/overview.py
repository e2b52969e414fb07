"""The overview: how the installation stands, read anew at most once a second, and remembered for when nobody answers."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from aiohttp import web

from worker.core.status import Minute, Status
from worker.store import status as store
from worker.web.page import chart, shown
from worker.web.page.debt import Debt, debt_of
from worker.web.page.page import Page
from worker.web.page.rendering import Answer
from worker.web.page.state import judge, unknown
from worker.web.reader import UnavailableError

_FRESH_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What was read, and when."""

    status: Status
    at: float


@dataclass(slots=True)
class Overview:
    """The handler of ``/``, with what it read last."""

    last: Seen | None = field(default=None)

    async def show(self, page: Page, _request: web.Request) -> Answer:
        """Show how things stand; where the database is silent, how they stood."""
        outage = ""
        try:
            if self.last is None or page.options.clock() - self.last.at > _FRESH_SECONDS:
                self.last = Seen(await page.reader.ask(store.seen), page.options.clock())
        except UnavailableError as error:
            outage = f"{error}."
        if self.last is None:
            return Answer("overview.html", {"state": unknown(outage), "outage": outage, "status": None}, 503)
        values = _values(self.last.status)
        if outage:
            values |= {"outage": outage, "state": unknown(outage)}
        return Answer("overview.html", values, 503 if outage else 200)


@dataclass(frozen=True, slots=True)
class Figure:
    """One large number, what it is, and what it says."""

    label: str
    value: str
    note: str
    is_grave: bool = False


def _values(status: Status) -> dict[str, object]:
    debt = debt_of(status)
    return {
        "state": judge(status, debt),
        "outage": "",
        "status": status,
        "counted_ago": (status.seen_at - debt.counted_at).total_seconds() if debt.counted_at else None,
        "figures": (*_figures_of_debt(status, debt), *_figures_of_work(status)),
        "throughput": chart.throughput(status.minutes),
        "times": chart.times(status.minutes),
        "latest": _latest(status),
        "alive": sum(worker.is_alive for worker in status.workers),
        "healed": sum(minute.healed for minute in status.minutes),
        "replayed": sum(minute.replayed for minute in status.minutes),
    }


def _figures_of_debt(status: Status, debt: Debt) -> Iterator[Figure]:
    is_grave = debt.overdue > 0 or bool(status.failing)
    when = ", when they were counted last" if status.failing else ""
    yield Figure("Coverage", shown.share(debt.coverage), f"of {shown.number(debt.users)} users{when}", is_grave)
    overdue = f"{shown.number(debt.overdue)} of them overdue{when}"
    yield Figure("Without profile", shown.number(debt.without_profile), overdue, is_grave)
    yield Figure("Orphans", shown.number(debt.orphans), f"in {len(status.orphans)} references", debt.orphans > 0)


def _figures_of_work(status: Status) -> Iterator[Figure]:
    backlog, latest = status.backlog, _latest(status)
    oldest = f"oldest {shown.age(backlog.oldest_age)}" if backlog.oldest_age is not None else "nothing waits"
    yield Figure("Outbox", _at_least(backlog.events, more=backlog.is_more), oldest)
    took = f"99 % within {shown.milliseconds(latest.p99_ms)}" if latest else "nothing healed in an hour"
    yield Figure("Time to integrity", shown.milliseconds(latest.p50_ms if latest else None), took)
    letters = sum(min(group.letters, group.counted_up_to) for group in status.letters)
    more = any(group.is_more for group in status.letters)
    waits = "wait for a person" if letters else "nothing waits"
    yield Figure("Dead letters", _at_least(letters, more=more), waits, letters > 0)


def _latest(status: Status) -> Minute | None:
    return next((minute for minute in reversed(status.minutes) if minute.p50_ms is not None), None)


def _at_least(number: int, *, more: bool) -> str:
    return f"{shown.number(number)}+" if more else shown.number(number)
