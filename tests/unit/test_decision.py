"""Decisions: from the facts to what is done, and from a failure to what becomes of the event."""

from dataclasses import replace
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.core.decision import Acknowledge, Act, Release, SetAside, decide
from worker.core.event import Capture, Event
from worker.core.facts import Facts, UserState
from worker.core.failure import Failure
from worker.core.retry_policy import RetryPolicy
from worker.core.setback import after_failure, wait_for_event

POLICY = RetryPolicy(first_delay=1.0, longest_delay=60.0, most_attempts=5)
SIGN_UP = Event(event_id=1, source_id=1, user_key="u", attempts=0, age=0.5)
CAPTURE = Capture(
    referencing_table="public.orders",
    referencing_oid=1,
    constraint_name="fk_orders_user_id",
    row_image="{}",
    writer_role="app",
    writer_claims=None,
    waiting_for=None,
    user_seen=False,
    replayed_error_type="INSERT_REPLAYED",
    unknown_user_grace=10.0,
)
FAILED_INSERT = replace(SIGN_UP, capture=CAPTURE)
CHECK_VIOLATION = Failure("23514", "violates check constraint", constraint="profiles_name_is_short")

states = st.sampled_from(["eligible", "not_eligible", "erased", "absent"])
facts = st.builds(Facts, user_state=states, profile_exists=st.booleans(), known_before=st.booleans())
events = st.builds(
    replace,
    st.sampled_from([SIGN_UP, FAILED_INSERT]),
    attempts=st.integers(0, 100),
    age=st.floats(0, 1e6),
    last_failure=st.sampled_from([None, CHECK_VIOLATION]),
)


@given(events, facts, st.floats(0, 1, exclude_max=True))
def test_no_profile_is_ever_made_for_a_user_who_is_not_eligible(event: Event, known: Facts, jitter: float) -> None:
    """Healing is decided for eligible users without a profile, and for nobody else."""
    decided = decide(event, known, POLICY, jitter)
    heals = isinstance(decided, Act) and decided.heal

    assert not heals or (known.user_state == "eligible" and not known.profile_exists)


@given(events, st.booleans(), st.booleans(), st.floats(0, 1, exclude_max=True))
def test_nothing_is_done_for_an_erased_user(event: Event, profile: bool, known: bool, jitter: float) -> None:  # noqa: FBT001
    """The event of a soft-deleted user is acknowledged, a captured row with it, whatever else is so."""
    decided = decide(event, Facts("erased", profile, known), POLICY, jitter)

    assert isinstance(decided, Acknowledge)
    assert decided.verdict in {"erased", "already_whole"}


@pytest.mark.parametrize(("state", "verdict"), [("absent", "erased"), ("erased", "erased"), ("not_eligible", "not_eligible")])
def test_sign_up_without_an_eligible_user_is_acknowledged(state: UserState, verdict: str) -> None:
    """A sign-up that no longer wants a profile is done, and the verdict says why."""
    assert decide(SIGN_UP, Facts(state, profile_exists=False), POLICY, 0.0) == Acknowledge(verdict)  # type: ignore[arg-type]


def test_sign_up_that_failed_for_good_in_the_express_lane_is_not_tried_again() -> None:
    """The failure that the express lane recorded is enough for a dead letter that names the constraint."""
    decided = decide(replace(SIGN_UP, last_failure=CHECK_VIOLATION), Facts("eligible", profile_exists=False), POLICY, 0.0)

    assert isinstance(decided, SetAside)
    assert decided.verdict == "needs_recipe"
    assert "profiles_name_is_short" in decided.hint


def test_sign_up_that_was_given_back_is_tried_whatever_it_had_met() -> None:
    """Only the express lane's own refusal condemns it: what a broken source raised says nothing of the user."""
    waited = replace(SIGN_UP, attempts=9, last_failure=Failure("42703", "column users.deleted_at does not exist"))

    assert decide(waited, Facts("eligible", profile_exists=False), POLICY, 0.0) == Act(heal=True)


def test_captured_insert_of_an_unknown_user_waits_for_the_sign_up_to_commit() -> None:
    """Within the grace period the event is released, never beyond the period's end."""
    decided = decide(replace(FAILED_INSERT, attempts=50, age=9.0), Facts("absent", profile_exists=False), POLICY, 0.9)

    assert isinstance(decided, Release)
    assert decided.delay == 1.0


def test_captured_insert_of_an_unknown_user_is_set_aside_after_the_grace_period() -> None:
    """A key that never existed becomes a dead letter for a person."""
    decided = decide(replace(FAILED_INSERT, age=10.0), Facts("absent", profile_exists=False), POLICY, 0.0)

    assert isinstance(decided, SetAside)
    assert decided.verdict == "unknown_user"


def test_captured_insert_of_a_user_we_once_healed_is_dropped_as_erased() -> None:
    """A key that had a profile by our hand and has no user now belongs to an erased user."""
    decided = decide(FAILED_INSERT, Facts("absent", profile_exists=False, known_before=True), POLICY, 0.0)

    assert decided == Acknowledge("erased")


def test_captured_insert_of_a_user_who_was_there_and_is_gone_is_dropped_as_erased() -> None:
    """The user existed when the insert was captured: absent now means erased since, not unknown."""
    seen = replace(FAILED_INSERT, capture=replace(CAPTURE, user_seen=True))

    assert decide(seen, Facts("absent", profile_exists=False), POLICY, 0.0) == Acknowledge("erased")


@pytest.mark.parametrize("sqlstate", ["40001", "40P01", "55P03", "57014", "53200"])
def test_transient_failure_is_released_until_the_attempts_are_used_up(sqlstate: str) -> None:
    """What may pass by itself is tried again with backoff, and is a person's matter after the last attempt."""
    failure = Failure(sqlstate, "later")

    assert isinstance(after_failure(SIGN_UP, failure, POLICY, 0.5), Release)
    last = after_failure(replace(SIGN_UP, attempts=4), failure, POLICY, 0.5)
    assert isinstance(last, SetAside)
    assert last.verdict == "exhausted"


@pytest.mark.parametrize("sqlstate", ["42501", "23514", "22P02", "23505", "PM002"])
def test_permanent_failure_of_a_replay_is_never_tried_again(sqlstate: str) -> None:
    """What would fail again goes to the dead letters at the first attempt, with a hint."""
    decided = after_failure(FAILED_INSERT, Failure(sqlstate, "no"), POLICY, 0.5)

    assert isinstance(decided, SetAside)
    assert decided.verdict == "refused"
    assert decided.hint


def test_replay_that_waits_for_something_is_released_for_ever() -> None:
    """Waiting for an admin is no failure: no number of attempts makes it a dead letter."""
    failure = Failure("PM001", "no admin to talk to yet", detail="admin")

    decided = after_failure(replace(FAILED_INSERT, attempts=10_000), failure, POLICY, 0.5)

    assert isinstance(decided, Release)
    assert decided.waiting_for == "admin"


@pytest.mark.parametrize(("constraint", "verdict"), [("fk_orders_user_id", "wrong_direction"), ("another", "refused")])
def test_replay_that_violates_a_foreign_key_is_a_persons_matter_the_second_time(constraint: str, verdict: str) -> None:
    """What the row refers to may have gone in between; violated twice, it is not the missing profile that stands in the way."""
    failure = Failure("23503", "no", constraint=constraint)
    assert isinstance(after_failure(FAILED_INSERT, failure, POLICY, 0.5), Release)

    again = after_failure(replace(FAILED_INSERT, last_failure=failure), failure, POLICY, 0.5)

    assert isinstance(again, SetAside)
    assert again.verdict == verdict


@pytest.mark.parametrize("referenced", ["waiting", "dead"])
def test_row_that_refers_to_a_captured_row_waits_for_it(referenced: Literal["waiting", "dead"]) -> None:
    """Whatever the facts of the user, unless they are erased: then nothing is waited for, and the row goes."""
    event = replace(FAILED_INSERT, capture=replace(CAPTURE, referenced_capture=referenced))

    decided = decide(event, Facts("eligible", profile_exists=True), POLICY, 0.0)

    assert isinstance(decided, Release)
    assert decided.failure.sqlstate == "PM005"
    assert decide(event, Facts("erased", profile_exists=False), POLICY, 0.0) == Acknowledge("erased")


def test_row_whose_insert_met_a_captured_row_remembers_which() -> None:
    """The event waits for that one by its id, without a limit to its attempts."""
    waiting = wait_for_event(replace(FAILED_INSERT, attempts=99), Failure("23503", "no"), POLICY, 0.0, referred_to=7)

    assert (waiting.waits_for_event, waiting.failure.sqlstate) == (7, "PM005")
