"""Stories: what is told of an event from what is left of it."""

from datetime import UTC, datetime, timedelta

import pytest

from worker.core.dead_letter import DeadLetter
from worker.core.failure import Failure
from worker.core.pending_event import PendingEvent
from worker.core.recorded_entry import Cursor
from worker.core.story import Story, tell

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def pending(**more: object) -> PendingEvent:
    """Return an event that was written at noon and is due an hour later."""
    fields = {"kind": "insert_failed", "lane": "careful", "user_key": "ada", "state": "later", "attempts": 2} | more
    return PendingEvent(7, 1, available_at=NOON + timedelta(hours=1), created_at=NOON, **fields)  # type: ignore[arg-type]


def told(*, event: PendingEvent | None = None, letter: DeadLetter | None = None, was_given: bool = True) -> Story:
    """Tell a story of which the audit knows nothing."""
    return tell(7, pending=event, letter=letter, entries=[], was_given=was_given)


def test_pending_event_says_what_it_met_and_when_it_is_due() -> None:
    """The last failure stands beside the next attempt."""
    story = told(event=pending(last_failure=Failure("55P03", "locked")))

    assert [(it.kind, it.said) for it in story.moments] == [
        ("written", "an insert failed and was captured"),
        ("due", "attempt 3 is due"),
    ]
    assert story.moments[1].failure == Failure("55P03", "locked")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"state": "paused"}, "it waits until its source is resumed"),
        ({"waits_for_event": 3}, "it waits for event 3, to whose row it refers"),
        ({"waiting_for": "admin"}, "it waits for admin to appear"),
    ],
)
def test_pending_event_says_what_it_waits_for(more: dict[str, object], said: str) -> None:
    """A person, another row, or something that is to appear."""
    assert told(event=pending(**more)).moments[-1].said == said


def test_dead_letter_whose_entry_has_expired_still_says_why() -> None:
    """The letter itself carries the failure."""
    letter = DeadLetter(7, 1, "user_created", "ada", "needs_recipe", "too long", "mend", 1, NOON, NOON, "23514", "is_short")

    story = told(letter=letter)

    assert (story.state, story.moments[-1].failure) == ("dead", Failure("23514", "too long", "is_short"))


def test_event_without_a_trace_was_settled_in_silence_or_never_written() -> None:
    """A sign-up that needed nothing leaves no entry; an id that was never given out is nobody's."""
    assert (told().state, told(was_given=False).state) == ("silent", "unknown")


@pytest.mark.parametrize("text", ["", "2026-01-01T00:00:00+00:00", "noon@(1,2)", "2026-01-01T00:00:00+00:00@(1,2);drop"])
def test_cursor_of_nobody_is_refused(text: str) -> None:
    """A cursor comes back from an address that anybody can write."""
    with pytest.raises(ValueError, match=r"."):
        Cursor.parse(text)


def test_cursor_survives_its_text() -> None:
    """Written and read it is the same."""
    cursor = Cursor(NOON, "(12,3)")

    assert Cursor.parse(str(cursor)) == cursor
