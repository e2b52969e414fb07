"""The diagnosis as text, a hundred columns wide."""

import textwrap
from collections.abc import Iterator, Sequence
from datetime import datetime

from worker.commands.saying import brief
from worker.core.diagnosis import Diagnosis, Examined, Standing
from worker.core.orphans import REASONS, Tally
from worker.core.table_names import shown
from worker.core.verification import checks
from worker.core.wording import counted

WIDTH = 100
_NARROWEST = 15
_GAP = "  "
_LABEL = 13


def lines(diagnosis: Diagnosis) -> Iterator[str]:
    """Yield the lines of the report: people, references at a glance, each reference with orphans, reasons, the counts."""
    for standing in diagnosis.standings:
        yield from _standing(standing)
        yield ""
    yield from _references(diagnosis.examined)
    for examined in diagnosis.examined:
        if examined.tallies or examined.unseen or examined.mismatch:
            yield ""
            yield from _examined(examined)
    yield ""
    if diagnosis.reasons:
        yield "reasons"
        for reason in diagnosis.reasons:
            fitting = ", ".join(REASONS[reason].strategies)
            yield from _labelled(reason, f"{REASONS[reason].meaning} Strategies: {fitting}.")
        yield ""
    if diagnosis.unseen or any(standing.unseen for standing in diagnosis.standings):
        yield from _labelled("not seen", "The role that ran pgmend migrate sees all of it.")
        yield ""
    failing = sum(not check.is_passed for check in checks(diagnosis))
    yield f"{_orphans(diagnosis)}, {counted(failing, 'finding')}"


def _orphans(diagnosis: Diagnosis) -> str:
    """Return how many orphans there are, and never none of what nobody has seen."""
    unseen = counted(len(diagnosis.unseen), "reference")
    if not diagnosis.unseen:
        return counted(diagnosis.orphans, "orphan")
    if len(diagnosis.unseen) == len(diagnosis.examined):
        return f"orphans not seen ({unseen})"
    return f"{counted(diagnosis.orphans, 'orphan')} in what was seen, {unseen} not seen"


def _standing(standing: Standing) -> Iterator[str]:
    people, coverage = standing.people, standing.coverage
    yield from _labelled("users", f"{shown(people.users_table)}, key {people.users_key}")
    yield from _labelled("profiles", f"{shown(people.profiles_table)}, key {people.profiles_key}")
    if coverage is None:
        yield from _labelled("coverage", f"not seen: {standing.unseen}")
    else:
        numbers = f"{coverage.users:,} users ({coverage.eligible:,} eligible, {coverage.erased:,} erased)"
        yield from _labelled("counted", f"{numbers}, {coverage.profiles:,} profiles")
        missing = f"{coverage.missing:,} without" if coverage.missing else "nobody without"
        yield from _labelled("coverage", f"{_percent(coverage.percent)} of the eligible users have a profile, {missing}")
    for label, column in zip(_once("columns"), standing.columns, strict=False):
        initial = f", default {column.initial}" if column.initial else ""
        yield from _labelled(label, f"{column.name} {column.type}{' not null' if column.is_required else ''}{initial}")
    for label, constraint in zip(_once("constraints"), standing.constraints, strict=False):
        yield from _labelled(label, f"{constraint.name}: {constraint.definition}")


def _references(examined: Sequence[Examined]) -> Iterator[str]:
    if not examined:
        yield "no column refers to the profiles, by a key or by its name"
        return
    rows = [("reference", "key", "index", "valid", "on delete", "orphans", "share"), *map(_row, examined)]
    yield from _aligned(_fitted(rows, names=3), words=5)


def _row(it: Examined) -> tuple[str, ...]:
    reference = it.reference
    has_key = reference.constraint_name is not None
    return (
        f"{shown(reference.referencing_table)}.{','.join(reference.referencing_columns)}",
        reference.constraint_name or "no key",
        it.index_name or ("none" if it.index_is_known else "not seen"),
        ("yes" if reference.is_validated else "NO") if has_key else "-",
        reference.on_delete if has_key else "-",
        "not seen" if it.unseen else f"{it.orphans:,}",
        "-" if it.unseen or it.share is None else _percent(it.share),
    )


def _examined(it: Examined) -> Iterator[str]:
    yield from textwrap.wrap(it.name, WIDTH, break_on_hyphens=False)
    if it.unseen:
        yield from _labelled("not seen", it.unseen, indent=2)
    if it.mismatch:
        yield from _labelled("types", it.mismatch, indent=2)
    if not it.tallies:
        return
    about = "about " if it.rows_are_estimated else ""
    rows = "" if it.rows is None else f" in {about}{it.rows:,} rows"
    yield from _labelled("orphans", f"{it.orphans:,}{rows}, {counted(it.keys, 'distinct key')}", indent=2)
    yield from _labelled("seen", _seen(it), indent=2)
    rows_of_tallies = [
        ("reason", "orphans", "keys", "first seen", "last seen", "last hour", "last day"),
        *map(_tally, it.tallies),
    ]
    for line, tally in zip(_aligned(rows_of_tallies, words=1), (None, *it.tallies), strict=True):
        yield f"  {line}"
        if tally is not None and tally.sample:
            yield from _labelled("", f"keys {', '.join(map(_key, tally.sample))}", indent=2)


def _seen(it: Examined) -> str:
    if it.is_lent:
        return "keys and times take the right to read the table"
    if it.seen_column is None:
        return "no timestamp"
    span = f"{_time(it.first_seen)} to {_time(it.last_seen)} UTC by {it.seen_column}"
    if not it.last_day:
        return f"{span}; none within the last day"
    return f"{span}; still growing: {it.last_hour:,} within the last hour, {it.last_day:,} within the last day"


def _tally(tally: Tally) -> tuple[str, ...]:
    counts = (tally.reason, f"{tally.orphans:,}", f"{tally.keys:,}")
    if tally.first_seen is None:
        return (*counts, "-", "-", "-", "-")
    return (*counts, _time(tally.first_seen), _time(tally.last_seen), f"{tally.last_hour:,}", f"{tally.last_day:,}")


def _key(key: str) -> str:
    """Return a key as it is where it looks like one, and quoted where a space or worse is in it."""
    return brief(key) if key.isprintable() and key and not set(key) & {" ", ",", "'"} else brief(repr(key))


def _aligned(rows: Sequence[tuple[str, ...]], *, words: int) -> Iterator[str]:
    """Yield the rows as lines: the first ``words`` columns begin below each other, the others end so."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        cells[words:] = [cell.rjust(width) for cell, width in zip(row[words:], widths[words:], strict=True)]
        yield _GAP.join(cells).rstrip()


def _labelled(label: str, text: str, *, indent: int = 0) -> list[str]:
    first = " " * indent + f"{label:<{_LABEL}}"
    return textwrap.wrap(text, WIDTH, initial_indent=first, subsequent_indent=" " * len(first), break_on_hyphens=False) or [
        first.rstrip()
    ]


def _once(label: str) -> Iterator[str]:
    yield label
    while True:
        yield ""


def _fitted(rows: Sequence[tuple[str, ...]], *, names: int) -> list[tuple[str, ...]]:
    """Cut the first columns, which hold names, to what leaves room for the others: the last of them first."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for place in reversed(range(names)):
        excess = sum(widths) + len(_GAP) * (len(widths) - 1) - WIDTH
        widths[place] -= max(0, min(excess, widths[place] - _NARROWEST))
    return [tuple(_cut(cell, width) for cell, width in zip(row, widths, strict=True)) for row in rows]


def _cut(cell: str, width: int) -> str:
    return cell if len(cell) <= width else f"{cell[: width - 1]}…"


def _percent(share: float) -> str:
    """Return a share so that only all is 100 % and only none is 0 %."""
    if share in {0.0, 100.0}:
        return f"{share:.0f} %"
    return f"{min(max(share, 0.01), 99.99):.2f} %"


def _time(at: datetime | None) -> str:
    return "never" if at is None else f"{at:%Y-%m-%d %H:%M}"
