"""Rehearsals: what handling an event would come to, found out in a transaction that was rolled back."""

from dataclasses import dataclass
from typing import Literal, assert_never

from worker.core.decision import Acknowledge, Release, SetAside
from worker.core.failure import Failure
from worker.core.outcome import Done, Result
from worker.core.raised import is_nameless

Prospect = Literal["stands", "settled", "waits", "fails"]
"""``stands``: the effect would stand. ``settled``: nothing would be left to do. ``waits``: it would be tried again later.
``fails``: it would be a dead letter."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What would become of an event, and the next obstacle: its failure, and what would help."""

    prospect: Prospect
    said: str
    failure: Failure | None = None
    hint: str | None = None

    @property
    def is_nameless(self) -> bool:
        """Return whether it would fail, and neither a constraint nor a column is named: then code raises it."""
        return self.prospect == "fails" and self.failure is not None and is_nameless(self.failure)

    @property
    def is_clear(self) -> bool:
        """Return whether nothing stands in the way."""
        return self.prospect in {"stands", "settled"}


_NOTHING_LEFT = {
    "already_whole": "nothing is left to do: the profile, or the row, is there",
    "erased": "the user is erased: nothing would be made, and a captured row would be dropped",
    "not_eligible": "the user is not eligible for a profile: nothing would be made",
}


def foresee(result: Result) -> Rehearsal:
    """Return what a handling that was rolled back says of one that would not be."""
    match result:
        case Done(healed=healed, replayed=replayed):
            effects = [
                said for said, is_so in (("the profile would be made", healed), ("the row would stand", replayed)) if is_so
            ]
            return Rehearsal("stands", " and ".join(effects) or "nothing would have to be done")
        case SetAside(failure=failure, hint=hint, verdict=verdict):
            return Rehearsal("fails", f"it would be a dead letter: {verdict}", failure, hint)
        case Release(failure=failure, waiting_for=waiting_for, waits_for_event=event_id):
            what = f"event {event_id}" if event_id is not None else waiting_for
            return Rehearsal("waits", f"it would wait for {what}" if what else "it would be tried again later", failure)
        case Acknowledge(verdict=verdict):
            return Rehearsal("settled", _NOTHING_LEFT.get(verdict, verdict))
        case _:
            assert_never(result)
