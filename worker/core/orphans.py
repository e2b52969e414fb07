"""Orphans by reason: what each reason means, and which strategy fits it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a key leads nowhere, in one sentence, and the strategies of repair that fit, the first choice first."""

    meaning: str
    strategies: tuple[str, ...]


REASONS: dict[str, Reason] = {
    "healable": Reason("The user is there and entitled to a profile; only the profile is missing.", ("heal",)),
    "not_eligible": Reason("The user is there, but not one who is to have a profile.", ("quarantine", "reassign", "nullify")),
    "erased": Reason(
        "The user is there and softly deleted: no profile is made for them again.", ("quarantine", "nullify", "reassign")
    ),
    "gone": Reason("The user is not there any more; the audit knows that they once were.", ("quarantine", "nullify", "reassign")),
    "unknown": Reason("Nobody has ever heard of the key.", ("quarantine", "map", "nullify")),
    "mismatched": Reason("The profile is there, but the rest of the composite key is not its own.", ("map", "quarantine")),
    "malformed": Reason("The key is no value of the type that it refers to: a legacy id, most likely.", ("map", "quarantine")),
}
"""In the order in which a person decides about them."""


@dataclass(frozen=True, slots=True)
class Tally:
    """The orphans of one reference for one reason.

    ``keys``: distinct ones. Times are None where the table keeps none; ``last_hour`` and ``last_day`` count orphans as young as
    that. ``sample``: keys as text, those with the most orphans first.
    """

    reason: str
    orphans: int
    keys: int
    first_seen: datetime | None
    last_seen: datetime | None
    last_hour: int
    last_day: int
    sample: tuple[str, ...] = ()
