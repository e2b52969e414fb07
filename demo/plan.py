"""The plan: who signs up, what is done for them and when, and what has to become of them. Every random choice is made here."""

import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

ActKind = Literal["conversation", "two_callers", "order", "lead", "message", "own_profile"]
Moment = Literal["early", "inside", "meanwhile", "at_once"]
SignUp = Literal["commits", "is_abandoned", "never_comes"]
Erasure = Literal["hard", "soft"]
Fate = Literal["whole", "needs_recipe", "unknown", "erased_hard", "erased_soft"]

LONGEST_NAME = 120
CHANCES: dict[ActKind, float] = {
    "conversation": 0.45,
    "two_callers": 0.15,
    "order": 0.4,
    "lead": 0.35,
    "message": 0.4,
    "own_profile": 0.12,
}
MOMENTS: dict[Moment, float] = {"early": 0.03, "inside": 0.12, "meanwhile": 0.4, "at_once": 0.45}
PICTURED = 0.5
PERSISTENT = 0.2
KEY_CHOSEN = 0.3
FIRST_NAMES = ("Ada", "Bruno", "Chiara", "Dag", "Élodie", "Farid", "Grace", "Hanna", "İpek", "Jörg", "Kenji", "Łukasz")


@dataclass(frozen=True, slots=True)
class Act:
    """One thing done for a customer.

    ``moment``, seen from the sign-up: before it, in its transaction, on another connection while that is open, or right after
    its commit. ``chosen_key``: the client chooses the new row's primary key. ``persistent``: a client that reported a failed
    insert goes on trying. ``hold``: how many seconds the client keeps its own profile insert uncommitted.
    """

    kind: ActKind
    moment: Moment
    chosen_key: uuid.UUID | None = None
    persistent: bool = False
    hold: float = 0.0


@dataclass(frozen=True, slots=True)
class Customer:
    """One person, or a key that never was one. ``erased_after``: how many more sign-ups later; 0 is at once."""

    key: uuid.UUID
    email: str | None
    full_name: str | None
    picture: str | None
    sign_up: SignUp
    acts: tuple[Act, ...]
    erasure: Erasure | None = None
    erased_after: int = 0

    @property
    def fate(self) -> Fate:
        """Return what has to become of this key in the end."""
        if self.sign_up != "commits":
            return "unknown"
        if self.erasure is not None:
            return "erased_hard" if self.erasure == "hard" else "erased_soft"
        return "needs_recipe" if self.full_name and len(self.full_name) > LONGEST_NAME else "whole"

    def acts_at(self, moment: Moment) -> list[Act]:
        """Return what is done at that moment, in order."""
        return [act for act in self.acts if act.moment == moment]


def make_plan(users: int, seed: int) -> list[Customer]:
    """Return ``users`` customers who sign up, and some strangers among them who never do."""
    rng = random.Random(seed)
    planned = [_customer(rng, number, users) for number in range(users)]
    strangers = [_stranger(rng) for _ in range(max(1, users // 40))]
    for stranger in strangers:
        planned.insert(rng.randrange(len(planned) + 1), stranger)
    return planned


def new_key(rng: random.Random) -> uuid.UUID:
    """Return a random key from the plan's own source of randomness."""
    return uuid.UUID(int=rng.getrandbits(128), version=4)


def _customer(rng: random.Random, number: int, users: int) -> Customer:
    plot = rng.choices(("plain", "erased", "too_long", "abandoned"), weights=(86, 9, 3, 2))[0]
    erasure: Erasure | None = rng.choice(("hard", "soft")) if plot == "erased" else None
    own_profile = plot == "plain"
    return Customer(
        key=new_key(rng),
        email=rng.choice((f"person{number}@example.org", f"person{number}@example.org", None)),
        full_name="x" * (LONGEST_NAME + 1) if plot == "too_long" else _name(rng, number),
        picture=f"https://pictures.example.org/{number}.png" if rng.random() < PICTURED else None,
        sign_up="is_abandoned" if plot == "abandoned" else "commits",
        acts=tuple(_acts(rng, own_profile=own_profile, erased=erasure is not None)),
        erasure=erasure,
        erased_after=rng.choice((0, 0, rng.randint(1, 20), rng.randint(1, max(1, users // 3)))),
    )


def _stranger(rng: random.Random) -> Customer:
    kinds: tuple[ActKind, ...] = ("conversation", "order", "lead", "message")
    acts = tuple(Act(kind, "early") for kind in rng.sample(kinds, k=rng.randint(1, 2)))
    return Customer(new_key(rng), None, None, None, "never_comes", acts)


def _name(rng: random.Random, number: int) -> str | None:
    return rng.choice((f"{rng.choice(FIRST_NAMES)} {number}", f"{rng.choice(FIRST_NAMES)} {number}", "  ", None))


def _acts(rng: random.Random, *, own_profile: bool, erased: bool) -> Iterator[Act]:
    for kind, chance in CHANCES.items():
        if rng.random() < chance and (own_profile or kind != "own_profile"):
            yield _act(rng, kind, erased=erased)


def _act(rng: random.Random, kind: ActKind, *, erased: bool) -> Act:
    moment = rng.choices(tuple(MOMENTS), weights=tuple(MOMENTS.values()))[0]
    if kind in ("two_callers", "own_profile") or (kind == "message" and moment == "inside"):
        moment = "at_once"  # a failing insert inside would take the sign-up with it
    persistent = kind == "message" and not erased and rng.random() < PERSISTENT
    chosen_key = new_key(rng) if persistent or rng.random() < KEY_CHOSEN else None
    hold = rng.choice((0.0, 0.0, 0.0, rng.uniform(0.001, 0.03), 0.15)) if kind == "own_profile" else 0.0
    return Act(kind, moment, chosen_key, persistent, hold)
