"""The status as text, from a status that nobody had to ask a database for."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from worker.commands.columns import columns, span
from worker.commands.saying import shown
from worker.commands.status_view import line, lines, sparkline
from worker.core.status import Backlog, Find, LetterCount, Minute, OrphanCount, SourceStatus, Status, WorkerSeen

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
STATUS = Status(
    seen_at=NOON,
    sources=(SourceStatus(1, "users", "profiles", users=200, without_profile=1, overdue=1, overdue_since=NOON, counted_at=NOON),),
    backlog=Backlog(3, 2, 100_000, 12.0, 1.5),
    workers=(WorkerSeen("w", "host-1", 7, "0.1.0", state="listening", started_at=NOON - timedelta(hours=2), seen_ago=0.5),),
    letters=(LetterCount("needs_recipe", 12, 100_000, NOON, "mend the recipe"),),
    minutes=(
        Minute(NOON, 5, 0, 10_000, 2.0, 31.0),
        Minute(NOON, 0, 0, 10_000, None, None),
        Minute(NOON, 10, 10, 10_000, 3.0, 9.0),
    ),
    finds=(Find(NOON, 1, 4),),
    orphans=(OrphanCount("orders.user_id=profiles.id", 9, NOON, NOON), OrphanCount("clean", 0, None, NOON)),
)


def test_status_says_everything_once() -> None:
    """Coverage, outbox, throughput, workers, dead letters, orphans, finds: what is nought is left out."""
    text = "\n".join(lines(STATUS))

    for said in (
        "99.50 % of 200 users are whole; 1 without profile, 1 overdue since",
        "5 events (3 express, 2 careful); oldest 12 s, overdue 1.5 s",
        "15 healed, 10 replayed; time to integrity at 12:00: p50 3 ms, p99 9 ms",
        "host-1 pid 7, 0.1.0, listening, seen 0.5 s ago, up 2 h",
        "12 needs_recipe, the last at 2026-01-01 12:00:00.000: mend the recipe",
        "9 orders.user_id=profiles.id",
        "4 users of source 1",
    ):
        assert text.count(said) == 1, said
    assert "clean" not in text


def test_status_never_claims_to_have_counted_more_than_it_did() -> None:
    """What was cut off at a bound is said to be more than it."""
    cut = replace(STATUS, backlog=Backlog(100_001, 0, 100_000, None, None))
    cut = replace(cut, letters=(LetterCount("refused", 100_001, 100_000, NOON, "look"),))
    text = "\n".join(lines(cut))

    assert "more than 100,000 events" in text
    assert "more than 100,000 refused" in text
    assert "more than 100,000" in line(cut)


def test_source_that_is_paused_or_was_never_counted_is_said_to_be() -> None:
    """Loudly where a person is needed, without a number where there is none."""
    paused = replace(STATUS, sources=(SourceStatus(1, "users", "profiles", NOON, "somebody looks"),))

    assert "not counted yet" in "\n".join(lines(paused))
    assert "PAUSED since 2026-01-01 12:00:00.000: somebody looks" in "\n".join(lines(paused))
    assert line(paused).endswith("1 PAUSED")


def test_source_that_fails_is_not_said_to_be_whole() -> None:
    """What was counted before is said to be of then, and the reason stands beside it with where to look."""
    (source,) = STATUS.sources
    failing = replace(source, failing_since=NOON, failure="SQLSTATE 42703: no", failing_events=2)
    status = replace(STATUS, seen_at=NOON + timedelta(minutes=3), sources=(failing,))
    text = "\n".join(lines(status))

    assert "not known now; 99.50 % of 200 users were whole, 1 without profile, when counted 3 min ago" in text
    assert "are whole" not in text
    assert "FAILING since 2026-01-01 12:00:00.000: SQLSTATE 42703: no; events that come back with it: 2 -> pgmend doctor" in text
    assert line(status).endswith("1 FAILING")


def test_nothing_that_an_application_raises_commands_the_terminal() -> None:
    """What cannot be seen is written as an escape."""
    (source,) = STATUS.sources
    failing = replace(source, failing_since=NOON, failure="SQLSTATE XX000: \x1b[2Jgone\nsource 2: whole")
    text = "\n".join(shown(lines(replace(STATUS, sources=(failing,)))))

    assert r"SQLSTATE XX000: \x1b[2Jgone\nsource 2: whole; events" in text


def test_throughput_is_drawn_as_bars_of_one_scale() -> None:
    """The busiest minute is full, a minute without work is empty, and little work is not nothing."""
    assert sparkline(STATUS.minutes) == "▂ █"
    assert sparkline((Minute(NOON, 0, 0, 1, None, None),)) == " "
    assert sparkline((Minute(NOON, 1, 0, 9, None, None), Minute(NOON, 1000, 0, 9, None, None))) == "▁█"


@pytest.mark.parametrize(
    ("seconds", "said"), [(None, "-"), (0.04, "0.0 s"), (12.4, "12 s"), (240, "4 min"), (7300, "2 h"), (200_000, "2 d")]
)
def test_span_is_said_in_the_unit_that_fits(seconds: float | None, said: str) -> None:
    """One number, one unit."""
    assert span(seconds) == said


def test_columns_are_aligned_and_an_absent_value_is_a_dash() -> None:
    """No line ends in blanks."""
    assert list(columns(("a", "long"), [(1, None), ("wide", "x")])) == ["a     long", "1     -", "wide  x"]
