"""Explanations: what is whole of one user, what is missing, why, and what would happen."""

from collections.abc import Iterator
from dataclasses import dataclass

from worker.core.dead_letter import DeadLetter
from worker.core.facts import Facts
from worker.core.failure import Failure
from worker.core.pending_event import PendingEvent
from worker.core.raised import FiringTrigger
from worker.core.rehearsal import Rehearsal
from worker.core.source_failure import is_of_the_source


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is known of one user in one profile source.

    ``facts`` is a failure where the source's conditions choke on the user, or the key is none for its users table.
    ``rehearsal``: the recipe, tried and undone; None where nothing is to be made, or nobody may try. ``triggers``: those that
    may have raised what the rehearsal or a dead letter says, where that names neither a constraint nor a column. ``misfit``: why
    the key can be none of the users table, where it cannot.
    """

    source_id: int
    users_table: str
    profiles_table: str
    facts: Facts | Failure
    paused_because: str | None = None
    is_paused: bool = False
    pending: tuple[PendingEvent, ...] = ()
    letters: tuple[DeadLetter, ...] = ()
    rehearsal: Rehearsal | None = None
    triggers: tuple[FiringTrigger, ...] | None = None
    misfit: str | None = None

    @property
    def is_whole(self) -> bool:
        """Return whether nothing is missing and nothing waits."""
        return self.verdict in {"already_whole", "erased", "not_eligible"} and not self.pending and not self.letters

    @property
    def verdict(self) -> str:
        """Return what the facts say of the user: a verdict, ``paused``, or ``unannounced`` where nothing speaks of them yet."""
        if isinstance(self.facts, Failure):
            return "needs_recipe" if self.misfit is None else "unknown_user"
        match self.facts.user_state:
            case "erased":
                return "erased"
            case "absent":
                return "erased" if self.facts.known_before else "unknown_user"
            case _ if self.facts.profile_exists:
                return "already_whole"
            case "not_eligible":
                return "not_eligible"
            case "eligible":
                return self._missing()

    def _missing(self) -> str:
        """Return why the profile is not there: what is known, whether or not this role may try the recipe."""
        if self.rehearsal is not None and self.rehearsal.prospect == "fails":
            return "needs_recipe"
        set_aside = [letter.verdict for letter in self.letters if letter.is_sign_up]
        if set_aside:
            return set_aside[0]
        if self.is_paused:
            return "paused"
        return "in_flight" if self.pending else "unannounced"

    @property
    def evidence(self) -> str:
        """Return what the verdict rests on, in a sentence."""
        if self.misfit is not None:
            return self.misfit
        if isinstance(self.facts, Failure):
            return f"the source cannot judge this key: SQLSTATE {self.facts.sqlstate}, {self.facts.message}"
        profile = "the profile is there" if self.facts.profile_exists else "there is no profile"
        return f"{_STATES[self.facts.user_state]}, and {profile}{self._known_before(self.facts)}"

    def _known_before(self, facts: Facts) -> str:
        return "; the audit knows that the user has signed up once" if facts.user_state == "absent" and facts.known_before else ""

    def prospects(self) -> Iterator[str]:
        """Yield what would happen, a sentence each."""
        if self.is_paused:
            yield f"nothing, until a person resumes the source; it was paused because {self.paused_because}"
        if isinstance(self.facts, Failure) and is_of_the_source(self.facts.sqlstate):
            yield "nothing, while the source can judge nobody: pgmend doctor names what is wrong with it, and what mends that"
        match self.verdict:
            case "erased":
                yield "no profile is ever made, and what is kept of the user goes with the next sweep"
            case "unknown_user" if self.misfit is not None:
                yield f"look the user up in {self.users_table}, and give the key that stands there"
            case "unknown_user":
                yield "nothing: no such user has ever been seen"
            case "not_eligible":
                yield "nothing, while eligible_when says no"
            case "already_whole":
                pass
            case _ if not self.is_paused and isinstance(self.facts, Facts):
                yield from self._healing()
        if self.letters:
            yield "dead letters stay until a person requeues or discards them"

    def _healing(self) -> Iterator[str]:
        signed_up = [event for event in self.pending if event.kind == "user_created"]
        if signed_up:
            yield f"the worker tries to make the profile, for event {signed_up[0].event_id}"
        elif not any(letter.kind == "user_created" for letter in self.letters):
            yield "the next sweep announces the user, or pgmend heal makes the profile now"


_STATES = {
    "eligible": "the user is there and eligible",
    "not_eligible": "the user is there, but not eligible",
    "erased": "the user is erased",
    "absent": "there is no such user",
}
