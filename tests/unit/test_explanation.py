"""Explanations and rehearsals: what is said of what was found."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from worker.core.backfill import Refusal, gathered
from worker.core.dead_letter import DeadLetter
from worker.core.decision import Acknowledge, Release, SetAside
from worker.core.explanation import Explanation
from worker.core.facts import Facts
from worker.core.failure import Failure
from worker.core.outcome import Done, Result
from worker.core.pending_event import PendingEvent
from worker.core.rehearsal import Rehearsal, foresee

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LOCKED = Failure("55P03", "locked")


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (Done(healed=True, replayed=True), Rehearsal("stands", "the profile would be made and the row would stand")),
        (Done(healed=False, replayed=True), Rehearsal("stands", "the row would stand")),
        (Done(healed=False, replayed=False), Rehearsal("stands", "nothing would have to be done")),
        (Release(1.0, LOCKED), Rehearsal("waits", "it would be tried again later", LOCKED)),
        (Release(1.0, LOCKED, waiting_for="admin"), Rehearsal("waits", "it would wait for admin", LOCKED)),
        (Release(1.0, LOCKED, waits_for_event=7), Rehearsal("waits", "it would wait for event 7", LOCKED)),
        (SetAside("refused", LOCKED, "mend"), Rehearsal("fails", "it would be a dead letter: refused", LOCKED, "mend")),
    ],
)
def test_result_that_was_undone_says_what_would_have_been(result: Result, expected: Rehearsal) -> None:
    """Word for word, with the failure and the hint of the real handling."""
    assert foresee(result) == expected


@pytest.mark.parametrize("verdict", ["already_whole", "erased", "not_eligible"])
def test_event_that_needs_nothing_is_no_obstacle(verdict: str) -> None:
    """A requeue would settle it."""
    found = foresee(Acknowledge(verdict))  # type: ignore[arg-type]

    assert found.is_clear
    assert found.said != verdict


MISSING = Facts("eligible", profile_exists=False)


def explanation(*, rehearsal: Rehearsal | None = None, facts: Facts | Failure = MISSING) -> Explanation:
    """Return an explanation of a user without profile, events or dead letters."""
    return Explanation(1, "users", "profiles", facts, rehearsal=rehearsal)


def test_verdict_follows_the_recipe_that_was_tried() -> None:
    """Where the database refuses the profile, the user is not on the way to one, whatever the facts say."""
    assert explanation().verdict == "unannounced"
    assert explanation(rehearsal=Rehearsal("stands", "")).verdict == "unannounced"
    assert explanation(rehearsal=Rehearsal("fails", "")).verdict == "needs_recipe"


def test_user_is_in_flight_while_an_event_is_and_no_longer() -> None:
    """Who may not try the recipe is told by the events: one that waits, a letter that lies there, a source that is paused."""
    it = explanation()
    waiting = PendingEvent(1, 1, "user_created", "express", "ada", "due", 0, NOON, NOON)
    letter = DeadLetter(1, 1, "user_created", "ada", "exhausted", "locked", "requeue", 40, NOON, NOON)

    assert replace(it, pending=(waiting,)).verdict == "in_flight"
    assert replace(it, letters=(letter,)).verdict == "exhausted"
    assert replace(it, pending=(waiting,), is_paused=True).verdict == "paused"
    assert replace(it, is_paused=True).verdict == "paused"


def test_key_that_is_none_is_nobodys_recipe() -> None:
    """An e-mail where a uuid belongs is answered with the type of the keys, and where to look."""
    it = replace(explanation(facts=Failure("22P02", "no uuid")), misfit="keys of users are uuid, and this is none")

    assert (it.verdict, it.evidence) == ("unknown_user", "keys of users are uuid, and this is none")
    assert list(it.prospects()) == ["look the user up in users, and give the key that stands there"]


def test_user_of_a_source_that_judges_nobody_is_sent_to_the_doctor() -> None:
    """The facts could not be asked for, and that is no end of the way."""
    (said,) = explanation(facts=Failure("42703", "column users.deleted_at does not exist")).prospects()

    assert "pgmend doctor" in said


def test_user_without_an_event_is_found_by_the_sweep() -> None:
    """Whoever asks is told what would happen, and what they can do now."""
    assert list(explanation().prospects()) == ["the next sweep announces the user, or pgmend heal makes the profile now"]


def test_key_that_nobody_can_judge_promises_nothing() -> None:
    """No sweep announces a key that is none."""
    assert list(explanation(facts=Failure("22P02", "no uuid")).prospects()) == []


def test_refusals_of_one_kind_are_counted_together() -> None:
    """The most frequent first."""
    short, long = Failure("23514", "short", "is_short"), Failure("23514", "long", "is_long")

    assert gathered([Refusal(short, 1), Refusal(long, 3), Refusal(short, 1)]) == (Refusal(long, 3), Refusal(short, 2))
