"""What a spectator is shown while the storm goes on."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sample:
    """Where everything stands at one moment."""

    planned: int
    signed_up: int
    healed: int
    replayed: int
    outbox: int
    dead_letters: int
    workers: Sequence[int]
