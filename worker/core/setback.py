"""Setbacks: what becomes of an event whose facts, heal or replay failed. A lost connection is no event's."""

from dataclasses import replace

from worker.core.decision import Release, SetAside, needs_recipe
from worker.core.event import Event
from worker.core.failure import (
    COLUMN_GONE_SQLSTATE,
    NOT_MADE_SQLSTATE,
    REFERS_TO_CAPTURE_SQLSTATE,
    SESSION_ENDED_SQLSTATE,
    SESSION_TOUCHED_SQLSTATE,
    Failure,
    FailureClass,
    classify,
)
from worker.core.raised import NOT_KEPT, is_nameless, raiser
from worker.core.retry_policy import RetryPolicy


def after_failure(
    event: Event, failure: Failure, policy: RetryPolicy, jitter: float, *, healing: bool = False
) -> Release | SetAside:
    """Return what becomes of an event whose heal (``healing``) or replay failed."""
    delay = policy.delay(event.attempt, jitter)
    match classify(failure.sqlstate):
        case FailureClass.WAITING:
            return Release(delay, failure, waiting_for=failure.detail)
        case FailureClass.TRANSIENT | FailureClass.CONNECTION:
            return _release_or_exhausted(event, failure, policy, delay)
        case FailureClass.PERMANENT:
            return needs_recipe(failure) if healing else _permanent(event, failure, policy, delay)


def after_touching_the_session(event: Event) -> SetAside:
    """Return what becomes of an event whose replay has changed the worker's prepared statements, and cost it its connection."""
    constraint = event.capture.constraint_name if event.capture else None
    failure = Failure(SESSION_TOUCHED_SQLSTATE, "code inside the replay changed the worker's prepared statements", constraint)
    return SetAside("refused", failure, "A trigger or function prepares or deallocates statements. Change it, and requeue.")


def after_ending_the_session(event: Event, policy: RetryPolicy, jitter: float) -> Release | SetAside:
    """Return what becomes of an event under which sessions of the worker have ended, one after the other.

    The server may have been in trouble: the next attempt will tell. If that costs as many sessions, it is the event.
    """
    letter = ended_the_session(event)
    if event.last_failure is None or event.last_failure.sqlstate != SESSION_ENDED_SQLSTATE:
        return Release(policy.delay(event.attempt, jitter), letter.failure)
    return letter


def ended_the_session(event: Event) -> SetAside:
    """Return the dead letter of an event whose handling ends the worker's session."""
    constraint = event.capture.constraint_name if event.capture else None
    failure = Failure(SESSION_ENDED_SQLSTATE, "the session ended whenever this event was handled", constraint)
    what = "this row was replayed" if event.capture else "this profile was made"
    hint = (
        f"The session ended while {what}: a trigger or function ends it, or runs out of transaction_timeout, or the server "
        "crashes under it. The server's log has its last words. Mend that, and requeue."
    )
    return SetAside("refused" if event.capture else "needs_recipe", failure, hint)


def wait_for_event(event: Event, failure: Failure, policy: RetryPolicy, jitter: float, *, referred_to: int) -> Release:
    """Return what becomes of an event whose row refers to another captured row: it waits until that one is settled."""
    return Release(
        policy.delay(event.attempt, jitter),
        replace(failure, sqlstate=REFERS_TO_CAPTURE_SQLSTATE),
        waits_for_event=referred_to,
        verdict="in_flight",
    )


_USERS_OWN_FAULT = frozenset({"21", "22", "23", "P0"})
"""Classes that a user's own values raise. Any other failure of a source's conditions may be everybody's, and pass."""


def without_facts(event: Event, failure: Failure, policy: RetryPolicy, jitter: float) -> Release | SetAside:
    """Return what becomes of an event whose user the profile source cannot judge."""
    if failure.sqlstate[:2] not in _USERS_OWN_FAULT:
        return _release_or_exhausted(event, failure, policy, policy.delay(event.attempt, jitter))
    hint = (
        "The key is none for the users table, or eligible_when or erased_when raises for this user. "
        "The server's log has its words. Mend that, and requeue."
    )
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
        return needs_recipe(failure)
    if failure.sqlstate == "23503":
        return _violated_again(event, failure, policy, delay)
    return SetAside("refused", failure, _replay_hint(failure))


def _violated_again(event: Event, failure: Failure, policy: RetryPolicy, delay: float) -> Release | SetAside:
    """Return what becomes of an event whose replay violates a foreign key, although the profile was there when it began.

    What the row refers to may have gone between our look and our insert: the next attempt will tell. Violated again in the same
    way, it is another row that is missing; or the violation comes from the other side of the key, where a referenced row is
    deleted or changed, and no profile that we could make would help.
    """
    same = event.last_failure and (event.last_failure.sqlstate, event.last_failure.constraint) == ("23503", failure.constraint)
    if not same:
        return _release_or_exhausted(event, failure, policy, delay)
    if event.capture and event.capture.is_guarded and failure.constraint == event.capture.constraint_name:
        hint = "Something deletes or changes a profile that rows refer to whenever this row is inserted. Mend it, and requeue."
        return SetAside("wrong_direction", failure, hint)
    return SetAside(
        "refused", failure, "The row refers to another row that is not there. Bring that one back and requeue, or discard."
    )


def _replay_hint(failure: Failure) -> str:
    match failure.sqlstate:
        case "42501":
            return "The writer may not insert this row (grants or row-level security). Discard it, or grant and requeue."
        case state if state == COLUMN_GONE_SQLSTATE:
            return "The table has changed since the capture. Bring the column back or enter the row by hand, then discard."
        case "23505":
            return "Another row holds this unique key. Compare the two; discard the captured one or free the key and requeue."
        case state if is_nameless(failure):
            raised = f"{raiser(failure, else_it='a type of the application')} raises {state} when the row is inserted."
            return f"{raised} {NOT_KEPT} Mend what raises it, then requeue."
        case _:
            return "The database refuses the captured row for a reason of its own. Remove the reason, then requeue."
