"""Strategies: what is done with the orphans of one reference and one reason, by default or as a person chose."""

from collections.abc import Iterable
from dataclasses import dataclass

from worker.core.orphans import REASONS
from worker.core.reference import Reference

STRATEGIES = ("heal", "quarantine", "reassign", "nullify", "map", "delete")
WITH_ARGUMENT = {"reassign": "KEY", "map": "FILE"}
"""What the argument of a strategy is, where it has one."""
OF_USERS_WHO_EXIST = ("healable", "not_eligible", "erased", "mismatched")
"""Reasons of keys that are not touched unless a person says so."""


@dataclass(frozen=True, slots=True)
class Choice:
    """``REFERENCE:REASON=STRATEGY[:ARGUMENT]``. The reference is written ``orders.user_id``, with or without schema."""

    reference: str
    reason: str
    strategy: str
    argument: str | None = None

    def is_for(self, reference: Reference) -> bool:
        """Return whether the choice speaks of that reference."""
        return is_called(reference, self.reference)


@dataclass(frozen=True, slots=True)
class Decision:
    """A strategy, or None where the rows are left alone; ``why`` says so, or what is wrong with the choice."""

    strategy: str | None
    argument: str | None = None
    why: str = ""
    is_refused: bool = False


def read_choice(text: str) -> Choice:
    """Return the choice that a person wrote. Raises ValueError with what is wrong."""
    left, equals, right = text.rpartition("=")
    if "=" in right or not equals or ":" not in left:
        raise ValueError(f"{text!r} is not REFERENCE:REASON=STRATEGY")
    reference, _, reason = left.rpartition(":")
    strategy, _, argument = right.partition(":")
    if reason not in REASONS:
        raise ValueError(f"there is no reason {reason!r}; there are {', '.join(REASONS)}")
    if strategy not in STRATEGIES:
        raise ValueError(f"there is no strategy {strategy!r}; there are {', '.join(STRATEGIES)}")
    if bool(argument) != (strategy in WITH_ARGUMENT):
        raise ValueError(f"{strategy} {'needs' if strategy in WITH_ARGUMENT else 'takes no'} argument ({strategy}:ARGUMENT)")
    return Choice(reference, reason, strategy, argument or None)


def is_called(reference: Reference, given: str) -> bool:
    """Return whether a person means this reference: its referencing side, or all of it, with or without the schemas."""
    near, _, far = given.partition("=")
    here = f"{reference.referencing_table}.{','.join(reference.referencing_columns)}"
    there = f"{reference.referenced_table}.{','.join(reference.referenced_columns)}"
    return _is_named(here, near) and (not far or _is_named(there, far))


def decide(reference: Reference, reason: str, choices: Iterable[Choice], *, on_delete: str | None = None) -> Decision:
    """Return what is done with the orphans of a reason. The last choice counts. ``on_delete``: as it is intended."""
    chosen = [choice for choice in choices if choice.is_for(reference) and choice.reason == reason]
    if not chosen:
        return _by_default(reference, reason)
    choice = chosen[-1]
    objection = _objection(reference, choice, on_delete or reference.on_delete)
    return Decision(choice.strategy, choice.argument, objection, is_refused=bool(objection))


def changed_columns(reference: Reference, user_column: str | None) -> tuple[str, ...]:
    """Return the columns that reassign, nullify and map set: the one with the user's key, or all of them."""
    return (user_column,) if user_column else reference.referencing_columns


def _by_default(reference: Reference, reason: str) -> Decision:
    if reason == "healable":
        return Decision("heal")
    if reason in OF_USERS_WHO_EXIST:
        near = reference.name.partition("=")[0]
        return Decision(None, why=f"the user exists; --strategy {near}:{reason}=quarantine, say, decides otherwise")
    return Decision("quarantine")


def _objection(reference: Reference, choice: Choice, on_delete: str) -> str:
    if choice.strategy == "heal" and choice.reason != "healable":
        return "only what is healable can be healed"
    if choice.strategy == "nullify" and not reference.is_nullable:
        return "the column is not nullable"
    if choice.strategy == "nullify" and on_delete != "set null":
        return "the key does not say ON DELETE SET NULL, nor does --on-delete"
    if choice.strategy in WITH_ARGUMENT and len(reference.referencing_columns) > 1 and choice.reason == "mismatched":
        return "the user's key is right; another column of the key is not"
    return ""


def _is_named(name: str, given: str) -> bool:
    plain = given.strip()
    return name == plain or (name.endswith(f".{plain}") and name.removesuffix(f".{plain}").count(".") == 0)
