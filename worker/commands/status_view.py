"""The status as text: a line for each thing that a person on call wants to know."""

from collections.abc import Iterator

from worker.commands.columns import moment, span
from worker.core.status import Backlog, Minute, SourceStatus, Status

_BARS = " ▁▂▃▄▅▆▇█"


def lines(status: Status) -> Iterator[str]:
    """Yield the lines of the status."""
    yield f"at            {moment(status.seen_at)} UTC"
    for source in status.sources:
        yield f"source {source.source_id:<6} {source.users_table} -> {source.profiles_table}: {_coverage(source, status)}"
        if source.paused_at is not None:
            yield f"              PAUSED since {moment(source.paused_at)}: {source.paused_because}"
        if source.failing_since is not None:
            why = source.failure or ""
            events = f"events that come back with it: {source.failing_events:,}"
            yield f"              FAILING since {moment(source.failing_since)}: {why}; {events} -> pgmend doctor"
    yield f"outbox        {_backlog(status.backlog)}"
    yield f"last hour     {_hour(status.minutes)}"
    yield f"              {sparkline(status.minutes)}"
    yield from _workers(status)
    for letter in status.letters:
        more = "more than " if letter.is_more else ""
        count = min(letter.letters, letter.counted_up_to)
        yield f"dead letters  {more}{count:,} {letter.verdict}, the last at {moment(letter.newest_at)}: {letter.hint}"
    if not status.letters:
        yield "dead letters  none"
    for orphans in status.orphans:
        if orphans.orphans:
            yield f"orphans       {orphans.orphans:,} {orphans.reference}"
    for find in status.finds:
        yield f"sweep found   {find.users:,} users of source {find.source_id} without profile at {moment(find.at)}"


def line(status: Status) -> str:
    """Return the status as one line, for a terminal that only scrolls."""
    letters = sum(letter.letters for letter in status.letters)
    last = status.minutes[-1]
    alive = sum(worker.is_alive for worker in status.workers)
    paused = f", {len(status.paused)} PAUSED" if status.paused else ""
    failing = f", {len(status.failing)} FAILING" if status.failing else ""
    return (
        f"{moment(status.seen_at)}  outbox {_number(status.backlog.events, is_more=status.backlog.is_more)}, "
        f"overdue {span(status.backlog.overdue)}, without profile {status.debt:,}, this minute {last.healed:,} healed "
        f"{last.replayed:,} replayed, dead letters {letters:,}, workers {alive}{paused}{failing}"
    )


def sparkline(minutes: tuple[Minute, ...]) -> str:
    """Return the effects of each minute as a row of bars."""
    effects = [minute.healed + minute.replayed for minute in minutes]
    most = max(effects, default=0)
    return "".join(_BARS[-(-effect * (len(_BARS) - 1) // most)] if most else _BARS[0] for effect in effects)


def _coverage(source: SourceStatus, status: Status) -> str:
    if source.counted_at is None:
        return "not counted yet"
    ago = span((status.seen_at - source.counted_at).total_seconds())
    if source.failure is not None:
        return f"not known now; {_share(source, 'were')}, {source.without_profile:,} without profile, when counted {ago} ago"
    since = f" since {moment(source.overdue_since)}" if source.overdue_since else ""
    share = _share(source, "are")
    return f"{share}; {source.without_profile:,} without profile, {source.overdue:,} overdue{since} (counted {ago} ago)"


def _share(source: SourceStatus, verb: str) -> str:
    if source.coverage is None:
        return "coverage unknown"
    return f"{100 * source.coverage:.2f} % of {source.users:,} users {verb} whole"


def _backlog(backlog: Backlog) -> str:
    events = _number(backlog.events, is_more=backlog.is_more)
    return (
        f"{events} events ({backlog.express:,} express, {backlog.careful:,} careful); "
        f"oldest {span(backlog.oldest_age)}, overdue {span(backlog.overdue)}"
    )


def _hour(minutes: tuple[Minute, ...]) -> str:
    is_more = any(minute.is_more for minute in minutes)
    healed, replayed = sum(it.healed for it in minutes), sum(it.replayed for it in minutes)
    with_times = [minute for minute in minutes if minute.p50_ms is not None and minute.p99_ms is not None]
    said = f"{_number(healed, is_more=is_more)} healed, {_number(replayed, is_more=is_more)} replayed"
    if not with_times:
        return said
    last = with_times[-1]
    return f"{said}; time to integrity at {last.began:%H:%M}: p50 {last.p50_ms:,.0f} ms, p99 {last.p99_ms:,.0f} ms"


def _workers(status: Status) -> Iterator[str]:
    for worker in status.workers:
        up = f", up {span((status.seen_at - worker.started_at).total_seconds())}" if worker.is_alive else ""
        state = {"stopped": "stopped", "silent": "SILENT, seen"}.get(worker.state, f"{worker.state}, seen")
        yield f"worker        {worker.host} pid {worker.pid}, {worker.version}, {state} {span(worker.seen_ago)} ago{up}"
    if not status.workers:
        yield "worker        none is known"


def _number(count: int, *, is_more: bool) -> str:
    return f"more than {count - 1:,}" if is_more else f"{count:,}"
