"""Lost sessions: under which events they went. Kept by the process, since whatever the session knew went with it."""

from dataclasses import dataclass, field

_ENDS_THAT_TELL = 2
"""A restart of the server ends a session under whichever event is handled just then. One that is handled alone afterwards, when
that session has done everybody else's, is hardly met a second time."""

_WARY_EVENTS = 100
"""What ended one session may end the next: so many events are committed one by one, and the next end undoes none of them."""


@dataclass(slots=True)
class LostSessions:
    """``touched_by``: events whose replay has changed the worker's session, which then was given up."""

    touched_by: set[int] = field(default_factory=set)
    _ends: dict[int, int] = field(default_factory=dict)
    _handled: int | None = None
    _wary_for: int = 0

    @property
    def suspects(self) -> list[int]:
        """Return the events under which the session has ended, and that are to be handled alone."""
        return list(self._ends)

    @property
    def is_wary(self) -> bool:
        """Return whether a session was lost under an event not long ago."""
        return self._handled is not None or self._wary_for > 0

    def begins(self, event_id: int) -> None:
        """Count an end of the session under this event beforehand: when it comes, nobody is left to tell."""
        if self._handled is not None:
            self._wary_for = _WARY_EVENTS
        self._handled = event_id
        self._ends[event_id] = self._ends.get(event_id, 0) + 1

    def survived(self, event_id: int) -> None:
        """Take that back: the event was handled, and the session is still there."""
        self._handled = None
        self._wary_for = max(self._wary_for - 1, 0)
        self._ends.pop(event_id, None)

    def is_ended_by(self, event_id: int) -> bool:
        """Return whether sessions have ended under this event so often that it cannot be by chance."""
        return self._ends.get(event_id, 0) >= _ENDS_THAT_TELL

    def settled(self, event_id: int) -> None:
        """Forget an event of which everything is written down; should it come back, it is judged anew."""
        self.touched_by.discard(event_id)
        self._ends.pop(event_id, None)

    def acquit(self) -> None:
        """Forget all suspects: none can be claimed, so another worker has them in hand, or is done with them."""
        self._ends.clear()
