"""Audit entries: one for each effect, none without one."""

import pytest

from tests.unit.test_decision import CHECK_VIOLATION, FAILED_INSERT, SIGN_UP
from worker.core.decision import Acknowledge, Release, SetAside
from worker.core.event import Event
from worker.core.outcome import Done, Outcome, Result, audit_entries


@pytest.mark.parametrize(
    ("event", "result", "error_types"),
    [
        (SIGN_UP, Done(healed=True, replayed=False), ["MISSING_PROFILE_CREATED"]),
        (SIGN_UP, Done(healed=False, replayed=False), []),
        (FAILED_INSERT, Done(healed=True, replayed=True), ["MISSING_PROFILE_CREATED", "INSERT_REPLAYED"]),
        (FAILED_INSERT, Done(healed=False, replayed=True), ["INSERT_REPLAYED"]),
        (FAILED_INSERT, Acknowledge("erased"), ["ERASED_USER_EVENT_DROPPED"]),
        (FAILED_INSERT, Acknowledge("already_whole"), ["INSERT_FOUND_STORED"]),
        (SIGN_UP, Acknowledge("already_whole"), []),
        (FAILED_INSERT, Release(1.0, CHECK_VIOLATION), []),
        (SIGN_UP, SetAside("needs_recipe", CHECK_VIOLATION, "change it"), ["EVENT_DEAD_LETTERED"]),
    ],
)
def test_each_effect_leaves_one_entry(event: Event, result: Result, error_types: list[str]) -> None:
    """What was done is written down once; what was not done leaves no trace."""
    assert [entry.error_type for entry in audit_entries(Outcome(event, result, 1.0))] == error_types


def test_dead_letter_entry_names_constraint_sqlstate_verdict_and_hint() -> None:
    """The audit entry of a dead letter is evidence enough to act on."""
    (entry,) = audit_entries(Outcome(SIGN_UP, SetAside("needs_recipe", CHECK_VIOLATION, "change it"), 1.0))

    assert (entry.sqlstate, entry.constraint_name) == ("23514", "profiles_name_is_short")
    assert entry.details["verdict"] == "needs_recipe"
    assert entry.details["hint"] == "change it"


@pytest.mark.parametrize(
    ("result", "verdict"),
    [
        (Done(healed=True, replayed=True), "healed"),
        (Acknowledge("erased"), "erased"),
        (Acknowledge("already_whole"), "already_whole"),
        (SetAside("wrong_direction", CHECK_VIOLATION, "change it"), "wrong_direction"),
    ],
)
def test_each_entry_carries_the_verdict_that_it_rests_on(result: Result, verdict: str) -> None:
    """The audit is evidence: what was done, and because of what."""
    entries = audit_entries(Outcome(FAILED_INSERT, result, 1.0))

    assert entries
    assert {entry.details["verdict"] for entry in entries} == {verdict}
