"""Which failures are a source's, so that it works for nobody, and which are one event's."""

import pytest

from worker.core.failure import Failure
from worker.core.source_failure import RefusedCondition, SourceFailure, judge

GONE = Failure("42703", "column users.deleted_at does not exist")


def test_source_whose_trial_raises_fails_and_its_events_are_counted_beside_it() -> None:
    """Those that have come back with the same SQLSTATE; others say nothing."""
    others = [SourceFailure(Failure("42883", "no"), 9), SourceFailure(Failure("42703", "other words"), 4)]

    assert judge(GONE, others) == SourceFailure(GONE, 4)
    assert judge(GONE, []) == SourceFailure(GONE, 0)


@pytest.mark.parametrize("sqlstate", ["57014", "55P03", "40P01", "53300", "08006"])
def test_trial_that_fails_for_a_passing_reason_is_no_failure_of_the_source(sqlstate: str) -> None:
    """A lock or a limit passes by itself, and a late sweep has an alert of its own."""
    assert judge(Failure(sqlstate, "later"), []) is None


@pytest.mark.parametrize("sqlstate", ["42703", "42883", "42501", "42P01", "XX000", "F0000"])
def test_events_that_come_back_for_a_lasting_reason_are_the_source_s_failure(sqlstate: str) -> None:
    """Of several the most frequent one, which comes first."""
    met = SourceFailure(Failure(sqlstate, "gone"), 3)

    assert judge(None, [SourceFailure(Failure("23503", "a row"), 9), met, SourceFailure(GONE, 1)]) == met


@pytest.mark.parametrize("sqlstate", ["21000", "22012", "23503", "P0001", "PM001", "PM008", "40001", "57014", "AB123"])
def test_events_that_come_back_for_their_own_reason_are_none(sqlstate: str) -> None:
    """Values, missing rows, a user who is not there yet, a lock."""
    assert judge(None, [SourceFailure(Failure(sqlstate, "own"), 99)]) is None


def test_condition_that_raises_stands_in_its_message() -> None:
    """Whoever reads a probe or an alert knows which of the two it is, and how it reads."""
    refused = RefusedCondition("erased_when", "users.deleted_at is not null", GONE)

    assert refused.told.message == "erased_when (users.deleted_at is not null): column users.deleted_at does not exist"
