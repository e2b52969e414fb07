"""Decisions: from an event and the facts to what is done.

facts ──decide──> Acknowledge            nothing to do: the verdict says why
                  Act ──> healed, replayed, or a failure ──(``setback``)──> Release | SetAside
                  Release                not yet: claimable again after a delay
                  SetAside               a person is needed: verdict, failure, hint
"""

from dataclasses import dataclass
from typing import Literal, get_args

from worker.core.event import Capture, Event
from worker.core.facts import Facts
from worker.core.failure import NO_USER_YET_SQLSTATE, REFERS_TO_CAPTURE_SQLSTATE, Failure, FailureClass, classify
from worker.core.raised import NOT_KEPT, is_nameless, raiser
from worker.core.retry_policy import RetryPolicy

LetterVerdict = Literal["needs_recipe", "unknown_user", "not_eligible", "refused", "wrong_direction", "exhausted"]
"""Why an event is set aside. With the others it is settled, or waits."""

Verdict = Literal["healed", "already_whole", "in_flight", "erased", LetterVerdict]
LETTER_VERDICTS: tuple[LetterVerdict, ...] = get_args(LetterVerdict)


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
    """Give the event back, claimable after ``delay`` seconds.

    ``waiting_for`` names what must appear first, ``waits_for_event`` the captured row that must stand first.
    """

    delay: float
    failure: Failure
    waiting_for: str | None = None
    waits_for_event: int | None = None
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True)
class SetAside:
    """Make the event a dead letter."""

    verdict: LetterVerdict
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
            return needs_recipe(refused) if (refused := _refused_in_the_express_lane(event)) else Act(heal=True)


def _refused_in_the_express_lane(event: Event) -> Failure | None:
    """Return what the express lane says against the profile. An event that was given back has met a source that judged nobody."""
    failure = event.last_failure if event.attempts == 0 else None
    return failure if failure and classify(failure.sqlstate) is FailureClass.PERMANENT else None


def _decide_capture(event: Event, capture: Capture, facts: Facts, delay: float) -> Decision:
    if facts.user_state != "erased" and capture.referenced_capture is not None:
        return _wait_for_capture(capture, policy_delay=delay)
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


def _wait_for_capture(capture: Capture, *, policy_delay: float) -> Release:
    """Return how long to wait for the row that this one refers to; it is made due at once when that one is settled."""
    dead = capture.referenced_capture == "dead"
    what = "the row it refers to is a dead letter" if dead else "the row it refers to is captured, too"
    return Release(policy_delay, Failure(REFERS_TO_CAPTURE_SQLSTATE, what, capture.constraint_name), verdict="in_flight")


def _decide_absent_user(event: Event, capture: Capture, facts: Facts, delay: float) -> Decision:
    if capture.user_seen or facts.known_before:
        return Acknowledge("erased")
    remaining = capture.unknown_user_grace - event.age
    if remaining > 0:
        not_yet = Failure(NO_USER_YET_SQLSTATE, "no such user yet", capture.constraint_name)
        return Release(min(delay, remaining), not_yet, verdict="in_flight")
    return SetAside(
        "unknown_user",
        Failure("23503", "no such user", capture.constraint_name),
        "No user has this key, and none signed up within the grace period. Discard it, or requeue when the user exists.",
    )


def needs_recipe(failure: Failure) -> SetAside:
    """Return the dead letter of an event whose profile the database refuses."""
    if is_nameless(failure):
        raised = f"{raiser(failure, else_it='an expression of the recipe')} raises {failure.sqlstate} when the profile is made."
        return SetAside("needs_recipe", failure, f"{raised} {NOT_KEPT} Mend what raises it, the recipe or the user, and requeue.")
    culprit = failure.constraint or failure.column
    return SetAside(
        "needs_recipe",
        failure,
        f"The recipe builds a profile that {culprit} refuses. Change the recipe (pgmend.attach_source) or the user, and requeue.",
    )
