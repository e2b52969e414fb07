"""Decisions: from an event and the facts to what is done, and from a failure to what becomes of the event.

facts ──decide──> Acknowledge            nothing to do: the verdict says why
                  Act ──> healed, replayed, or a failure ──after_failure──> Release | SetAside
                  Release                not yet: claimable again after a delay
                  SetAside               a person is needed: verdict, failure, hint
"""

from dataclasses import dataclass
from typing import Literal

from worker.core.event import Capture, Event
from worker.core.facts import Facts
from worker.core.failure import COLUMN_GONE_SQLSTATE, NOT_MADE_SQLSTATE, Failure, FailureClass, classify
from worker.core.retry_policy import RetryPolicy

Verdict = Literal[
    "healed",
    "already_whole",
    "in_flight",
    "erased",
    "not_eligible",
    "unknown_user",
    "needs_recipe",
    "refused",
    "exhausted",
]


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Nothing is left to do; the event goes, and a captured row with it."""

    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Act:
    """Heal the profile if it is missing, then replay the capture if there is one.

    ``hold``: the profile is there; lock the user, who must not be erased, before anything is written in their name.
    """

    heal: bool
    hold: bool = False


@dataclass(frozen=True, slots=True)
class Release:
    """Give the event back, claimable after ``delay`` seconds."""

    delay: float
    failure: Failure
    waiting_for: str | None = None
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True)
class SetAside:
    """Make the event a dead letter."""

    verdict: Verdict
    failure: Failure
    hint: str


Decision = Acknowledge | Act | Release | SetAside


def decide(event: Event, facts: Facts, policy: RetryPolicy, jitter: float) -> Decision:
    """Return what the facts call for. ``jitter`` is a random number in [0, 1)."""
    if event.capture is None:
        return _decide_sign_up(event, facts)
    return _decide_capture(event, event.capture, facts, policy.delay(event.attempt, jitter))


def _decide_sign_up(event: Event, facts: Facts) -> Decision:
    if facts.profile_exists:
        return Acknowledge("already_whole")
    match facts.user_state:
        case "absent" | "erased":
            return Acknowledge("erased")
        case "not_eligible":
            return Acknowledge("not_eligible")
        case "eligible":
            if event.last_failure and classify(event.last_failure.sqlstate) is FailureClass.PERMANENT:
                return _needs_recipe(event.last_failure)
            return Act(heal=True)


def _decide_capture(event: Event, capture: Capture, facts: Facts, delay: float) -> Decision:
    match facts.user_state:
        case "erased":
            return Acknowledge("erased")
        case "absent" if not facts.profile_exists:
            return _decide_absent_user(event, capture, facts, delay)
        case "not_eligible" if not facts.profile_exists:
            return SetAside(
                "not_eligible",
                Failure("23503", "the user is not eligible for a profile", capture.constraint_name),
                "Make the user eligible, or widen eligible_when of the profile source, then requeue.",
            )
        case _:
            return Act(heal=not facts.profile_exists, hold=facts.profile_exists and facts.user_state != "absent")


def _decide_absent_user(event: Event, capture: Capture, facts: Facts, delay: float) -> Decision:
    if capture.user_seen or facts.known_before:
        return Acknowledge("erased")
    missing = Failure("23503", "no such user", capture.constraint_name)
    remaining = capture.unknown_user_grace - event.age
    if remaining > 0:
        return Release(min(delay, remaining), missing, verdict="in_flight")
    return SetAside(
        "unknown_user",
        missing,
        "No user has this key, and none signed up within the grace period. Discard it, or requeue when the user exists.",
    )


def after_failure(
    event: Event, failure: Failure, policy: RetryPolicy, jitter: float, *, healing: bool = False
) -> Release | SetAside:
    """Return what becomes of an event whose heal (``healing``) or replay failed. A lost connection never comes here."""
    delay = policy.delay(event.attempt, jitter)
    match classify(failure.sqlstate):
        case FailureClass.WAITING:
            return Release(delay, failure, waiting_for=failure.detail)
        case FailureClass.TRANSIENT | FailureClass.CONNECTION:
            return _release_or_exhausted(event, failure, policy, delay)
        case FailureClass.PERMANENT:
            return _needs_recipe(failure) if healing else _permanent(event, failure, policy, delay)


_USERS_OWN_FAULT = frozenset({"22", "23", "P0"})
"""Classes that a user's own values raise. Any other failure of a source's conditions may be everybody's, and pass."""


def without_facts(event: Event, failure: Failure, policy: RetryPolicy, jitter: float) -> Release | SetAside:
    """Return what becomes of an event whose user the profile source cannot judge."""
    if failure.sqlstate[:2] not in _USERS_OWN_FAULT:
        return _release_or_exhausted(event, failure, policy, policy.delay(event.attempt, jitter))
    hint = "The key is none for the users table, or eligible_when or erased_when raises for this user. Mend that, and requeue."
    return SetAside("needs_recipe", failure, hint)


def after_not_healed(event: Event) -> Release | SetAside:
    """Return what becomes of an event whose profile was not made, although nothing was raised.

    The user went, or changed, between the facts and the lock: the next attempt's facts say what that means. If they call for the
    same again, something swallows the row.
    """
    failure = Failure(NOT_MADE_SQLSTATE, "the profile was not made, and no error says why")
    if event.last_failure is None or event.last_failure.sqlstate != NOT_MADE_SQLSTATE:
        return Release(0.0, failure)
    return SetAside("needs_recipe", failure, "A trigger or rule of the profiles table drops the row. Change it, and requeue.")


def _release_or_exhausted(event: Event, failure: Failure, policy: RetryPolicy, delay: float) -> Release | SetAside:
    if policy.is_exhausted(event.attempt):
        hint = "It failed for a passing reason at every attempt. Look at what the SQLSTATE names, then requeue."
        return SetAside("exhausted", failure, hint)
    return Release(delay, failure)


def _permanent(event: Event, failure: Failure, policy: RetryPolicy, delay: float) -> Release | SetAside:
    if event.capture is None:
        return _needs_recipe(failure)
    if failure.sqlstate == "23503" and failure.constraint == event.capture.constraint_name:
        # The profile went between our look and our insert: the next attempt's facts will say what that means.
        return _release_or_exhausted(event, failure, policy, delay)
    return SetAside("refused", failure, _replay_hint(failure))


def _needs_recipe(failure: Failure) -> SetAside:
    culprit = failure.constraint or failure.column or failure.sqlstate
    return SetAside(
        "needs_recipe",
        failure,
        f"The recipe builds a profile that {culprit} refuses. Change the recipe (pgmend.attach_source) or the user, and requeue.",
    )


def _replay_hint(failure: Failure) -> str:
    match failure.sqlstate:
        case "42501":
            return "The writer may not insert this row (grants or row-level security). Discard it, or grant and requeue."
        case state if state == COLUMN_GONE_SQLSTATE:
            return "The table has changed since the capture. Bring the column back or enter the row by hand, then discard."
        case "23505":
            return "Another row holds this unique key. Compare the two; discard the captured one or free the key and requeue."
        case _:
            return "The database refuses the captured row for a reason of its own. Remove the reason, then requeue."
