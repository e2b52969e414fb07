"""Readiness: which vital signs and which observation turn the probe red, each for a reason of its own."""

from dataclasses import replace
from typing import Any

import pytest

from worker.core.observation import Observation, ReferenceState, SourceState
from worker.core.readiness import STATES, Limits, Seen, startup, unreadiness
from worker.core.vitals import Vitals

LIMITS = Limits(schema_version=20, outbox_age=300, debt_users=10, debt_age=3600, observation_age=20)
SOURCE = SourceState(
    source_id=1,
    users_table="users",
    profiles_table="profiles",
    is_paused=False,
    paused_because=None,
    users=100,
    without_profile=0,
    overdue=0,
    overdue_age=0.0,
    counted_age=5.0,
)
WELL = Observation(
    schema_version=20,
    outbox={"express": 0, "careful": 0},
    oldest_due_age=0.0,
    dead_letters={},
    sources=(SOURCE,),
    references=(ReferenceState("orders.user_id=profiles.id", 3, 7200.0, 5.0),),
    workers_alive=1,
    workers_listening=1,
    lease="asleep",
)


def at_work() -> Vitals:
    """Return the vital signs of a worker that is connected and hears."""
    vitals = Vitals()
    for pulse in (vitals.new_consumer(), vitals.listener):
        pulse.is_connected = True
    vitals.has_started = vitals.hears = True
    return vitals


def codes(vitals: Vitals, seen: Seen, limits: Limits = LIMITS) -> set[str]:
    """Return the codes of the reasons."""
    reasons = unreadiness(vitals, seen, limits)
    assert all(reason.what and reason.detail and reason.hint for reason in reasons)
    return {reason.code for reason in reasons}


def of(**changed: Any) -> Observation:
    """Return an observation with a source of which this is different."""
    return replace(WELL, sources=(SOURCE, replace(SOURCE, source_id=2, **changed)))


def test_worker_at_work_on_a_whole_database_is_ready() -> None:
    """Dead letters and orphans wait for a person, and say nothing against the worker."""
    assert codes(at_work(), Seen(WELL, age=3)) == set()


@pytest.mark.parametrize(
    ("observation", "code"),
    [
        (replace(WELL, schema_version=19), "schema_behind"),
        (replace(WELL, oldest_due_age=301.0), "outbox_old"),
        (of(overdue=11), "debt_large"),
        (of(overdue=1, overdue_age=3601.0), "debt_old"),
        (of(is_paused=True), "source_paused"),
        (of(failure="SQLSTATE 42703: column users.deleted_at does not exist", failing_age=3.0), "source_failing"),
    ],
    ids=lambda it: it if isinstance(it, str) else "",
)
def test_observation_beyond_a_limit_is_a_reason(observation: Observation, code: str) -> None:
    """One for each limit, of whichever source."""
    assert codes(at_work(), Seen(observation)) == {code}


@pytest.mark.parametrize(
    "observation",
    [
        replace(WELL, schema_version=21),
        replace(WELL, oldest_due_age=300.0),
        of(overdue=10, overdue_age=3600.0),
        of(users=None, without_profile=None, overdue=None, counted_age=None),
    ],
    ids=["newer schema", "at the limit", "debt at the limit", "not counted yet"],
)
def test_observation_within_its_limits_is_none(observation: Observation) -> None:
    """An old worker works on the schema of its successor; what no sweep has counted yet is nobody's debt."""
    assert codes(at_work(), Seen(observation)) == set()


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        (Seen(), "database_unseen"),
        (Seen(WELL, age=21), "database_unseen"),
        (Seen(failure="no answer"), "database_unseen"),
        (Seen(failure="no table", failure_code="schema_behind"), "schema_behind"),
    ],
    ids=["never", "old", "failed", "not migrated"],
)
def test_database_that_was_not_seen_is_a_reason(seen: Seen, code: str) -> None:
    """An old answer is none."""
    assert codes(at_work(), seen) == {code}


def test_everything_that_is_wrong_is_said_at_once() -> None:
    """A person reads one body, and does not find the second reason after the first is gone."""
    vitals = at_work()
    vitals.consumers[0].is_connected = vitals.hears = False
    vitals.log_failure = "Broken pipe"
    ill = replace(
        of(is_paused=True, failure="SQLSTATE 42703: no", overdue=99, overdue_age=1e6), schema_version=1, oldest_due_age=1e6
    )

    assert codes(vitals, Seen(ill)) == set(STATES) - {"starting", "stopping", "database_unseen"}


def test_listener_without_a_connection_is_not_called_deaf_as_well() -> None:
    """It says that it has none."""
    vitals = at_work()
    vitals.listener.is_connected = vitals.hears = False

    assert codes(vitals, Seen(WELL)) == {"disconnected"}
    vitals.listener.is_connected = True
    assert codes(vitals, Seen(WELL)) == {"deaf"}
    assert codes(vitals, Seen(WELL), replace(LIMITS, deaf_is_ready=True)) == set()


def test_stop_is_the_only_reason_of_a_worker_that_stops() -> None:
    """Connections that close then are no news."""
    vitals = at_work()
    vitals.is_stopping, vitals.consumers[0].is_connected = True, False

    assert codes(vitals, Seen()) == {"stopping"}


def test_worker_that_has_not_started_is_asked_nothing_else() -> None:
    """Neither by one probe nor by the other."""
    assert [reason.code for reason in startup(Vitals())] == ["starting"]
    assert codes(Vitals(), Seen()) == {"starting"}
    assert startup(at_work()) == []


def test_coverage_is_a_share_of_those_who_are_entitled() -> None:
    """All of nobody is all; what was not counted is unknown."""
    assert replace(SOURCE, users=4, without_profile=1).coverage == 0.75
    assert replace(SOURCE, users=0, without_profile=0).coverage == 1.0
    assert replace(SOURCE, users=None, without_profile=3).coverage is None
