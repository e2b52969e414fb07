"""When workers were heard of last, and what that says of whether one is at work."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LastSeen:
    """Seconds since the last sign of a worker that has not stopped, and since the last one stopped; None where there is none.

    ``is_alive``: whether one has given a sign within the time that it promises itself: three of its heartbeats, and the timeout
    of one.
    """

    at_work: float | None = None
    stopped: float | None = None
    is_alive: bool = False

    def said(self) -> str:
        """Return what is known of the last one, for a person who misses it."""
        if self.stopped is not None and (self.at_work is None or self.stopped < self.at_work):
            return f"the last one stopped {self.stopped:,.0f} s ago, as it was told"
        if self.at_work is not None:
            return f"the last one was seen {self.at_work:,.0f} s ago, and has not said that it stops"
        return "none is known"
