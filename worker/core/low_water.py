"""The low-water mark: below which event id the express lane need not look.

Acknowledged rows cannot be vacuumed while an old snapshot is held, and a claim that starts from the first id walks over all
of them. But ids do not commit in order: an event with a low id may become visible late. The rule:

1. an observation reads the outbox sequence (``last_id``), and the next one takes a snapshot: every transaction that owns an
   id up to ``last_id`` has an id of its own below that snapshot's xmax, because a writer has its transaction id first;
2. at a later observation the mark rises to ``last_id``; the transactions below that xmax that still run are remembered
   with the old mark;
3. as soon as one of them is seen to have ended, the mark falls back to what was remembered with it.

Rows that are present, locked by another worker perhaps, hold the mark down as well.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A ``pg_snapshot``: transactions below ``xmax`` have ended, except those in ``running``."""

    xmin: int
    xmax: int
    running: frozenset[int]

    @classmethod
    def parse(cls, text: str) -> "Snapshot":
        """Read the text form, ``xmin:xmax:running,running``."""
        xmin, xmax, running = text.split(":")
        return cls(int(xmin), int(xmax), frozenset(int(xid) for xid in running.split(",") if xid))


@dataclass(slots=True)
class LowWaterMark:
    """The mark of one worker, kept in its memory; a restart begins at zero, which is always right."""

    floor: int = 0
    _last_id: int | None = None
    _pending: tuple[int, int] | None = None
    _stragglers: dict[int, int] = field(default_factory=dict)

    def observe(self, *, oldest_present: int | None, last_id: int, snapshot: Snapshot) -> None:
        """Take in one observation: the lowest id present above the mark (None: none), the sequence, and a snapshot."""
        self.notice(snapshot)
        if self._pending is not None:
            self._rise(*self._pending, oldest_present=oldest_present, running=snapshot.running)
        self._pending = None if self._last_id is None else (self._last_id, snapshot.xmax)
        self._last_id = last_id

    def notice(self, snapshot: Snapshot) -> bool:
        """Fall back to what the transactions that have ended were remembered with; return whether the mark fell."""
        ended = [xid for xid in self._stragglers if xid < snapshot.xmin or (xid < snapshot.xmax and xid not in snapshot.running)]
        if not ended:
            return False
        before = self.floor
        self.floor = min(self.floor, *(self._stragglers.pop(xid) for xid in ended))
        self._last_id = self._pending = None
        return self.floor < before

    def reset(self) -> None:
        """Look at everything again."""
        self.floor = 0
        self._last_id = self._pending = None
        self._stragglers.clear()

    def _rise(self, last_id: int, xmax: int, *, oldest_present: int | None, running: frozenset[int]) -> None:
        target = last_id if oldest_present is None else min(last_id, oldest_present - 1)
        if target <= self.floor:
            return
        for xid in running:
            if xid < xmax:
                self._stragglers.setdefault(xid, self.floor)
        self.floor = target
