"""Retention: how long what is kept, and what was let go."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Keeping:
    """How many days each is kept; 0 keeps it for ever. The defaults are those of the settings."""

    captured_rows: float = 30.0
    dead_letters: float = 0.0
    audit_entries: float = 365.0


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many rows were let go, and of users who are erased.

    ``is_more``: time ran out before all of it was done. ``left_to_another``: another session prunes, and has the rest to do.
    """

    captured_rows: int = 0
    dead_letters: int = 0
    audit_entries: int = 0
    erased: int = 0
    is_more: bool = False
    left_to_another: bool = False

    @property
    def rows(self) -> int:
        """Return how many rows were let go in all."""
        return self.captured_rows + self.dead_letters + self.audit_entries + self.erased
