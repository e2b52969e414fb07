"""What code of the application raises: no constraint and no column is named, and the words are not kept.

They may quote the row, and are in the server's log, at that time. Which code it can have been, the triggers of the table say.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from worker.core.failure import Failure

NOT_KEPT = "Its words are not kept, since they may quote the row: the server's log has them, at the time of the failure."


@dataclass(frozen=True, slots=True)
class FiringTrigger:
    """A trigger of the application that an insert into a table fires, and the function that it calls."""

    table: str
    name: str
    function: str

    def __str__(self) -> str:
        """Return it as people name it."""
        return f"{self.name} on {self.table} ({self.function})"


def is_nameless(failure: Failure) -> bool:
    """Return whether the database names neither a constraint nor a column."""
    return failure.constraint is None and failure.column is None


def raiser(failure: Failure, *, else_it: str) -> str:
    """Return who has raised it: code, where the class of the SQLSTATE is PL/pgSQL's own, or also what else it may have been."""
    is_plpgsql = failure.sqlstate.startswith("P0")
    return "A trigger or function of the application" if is_plpgsql else f"A trigger, a function or {else_it}"


def named(triggers: Iterable[FiringTrigger]) -> str:
    """Return the triggers as a list for people."""
    return ", ".join(map(str, triggers)) or "none"
