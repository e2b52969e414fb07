"""What keeps a source from working for whoever the user is, as the sweep judges it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from worker.core.failure import Failure, FailureClass, classify, is_of_the_application

_OF_ONE_EVENT = frozenset({"21", "22", "23", "P0", "PM"})
"""Classes that the values of one user or of one row raise, or pgmend itself: the event becomes a dead letter, or waits."""


def is_of_the_source(sqlstate: str) -> bool:
    """Return whether a SQLSTATE says that something is wrong with a source, whoever the user is, and will not pass by itself."""
    if sqlstate[:2] in _OF_ONE_EVENT or is_of_the_application(sqlstate):
        return False
    return classify(sqlstate) is FailureClass.PERMANENT


@dataclass(frozen=True, slots=True)
class SourceFailure:
    """What a source fails with, and how many events have come back with the same SQLSTATE again and again."""

    failure: Failure
    events: int = 0


@dataclass(frozen=True, slots=True)
class RefusedCondition:
    """``eligible_when`` or ``erased_when`` of a source, as it is written, and what the server has against it."""

    name: str
    written: str
    failure: Failure

    @property
    def told(self) -> Failure:
        """Return the failure with the condition in its message."""
        return replace(self.failure, message=f"{self.name} ({self.written}): {self.failure.message}")


def judge(met: Failure | None, recurring: Sequence[SourceFailure]) -> SourceFailure | None:
    """Return whether a source fails, from what its own trial has ``met``, and from what its events come back with.

    What may pass by itself is no failure of the source, and neither is what the values of one event raise.
    """
    if met is not None and classify(met.sqlstate) is FailureClass.PERMANENT:
        alike = (it.events for it in recurring if it.failure.sqlstate == met.sqlstate)
        return SourceFailure(met, next(alike, 0))
    return next((it for it in recurring if is_of_the_source(it.failure.sqlstate)), None)
