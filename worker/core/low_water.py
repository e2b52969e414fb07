"""The low-water mark: below which event id the express lane need not look.

Acknowledged rows cannot be vacuumed while an old snapshot is held, and a claim that starts from the first id walks over all
of them. But ids do not commit in order: an event with a low id may become visible late. The rule:

1. one observation reads the outbox sequence (``last_id``); then a transaction of our own writes and ends; then a later
   observation takes a snapshot: every transaction that owns an id up to ``last_id`` has a transaction id below that snapshot's
   xmax, because a writer has its transaction id first, ours came after, and xmax lies above whatever has ended (and only above
   that: the youngest transactions that still run are beyond it);
2. once every transaction below that xmax has ended, the mark rises to ``last_id``;
3. where one does not end, the mark rises all the same after a good many ids, and falls back as soon as that one has ended.

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


IMPATIENCE = 2000
"""So many ids given out since, the mark no longer waits for a transaction that does not end."""


@dataclass(slots=True)
class LowWaterMark:
    """The mark of one worker, kept in its memory; a restart begins at zero, which is always right."""

    floor: int = 0
    _last_id: int | None = None
    _candidate: tuple[int, int] | None = None
    _stragglers: dict[int, int] = field(default_factory=dict)

    def observe(self, *, oldest_present: int | None, last_id: int, snapshot: Snapshot, wrote: bool) -> bool:
        """Take in one observation: the lowest id present above the mark (None: none), the sequence, and a snapshot.

        ``wrote``: a transaction of our own has written since the last one. Return whether the mark fell: then there may be an
        event below where the last look began.
        """
        fell = self.notice(snapshot)
        if self._candidate is None:
            self._candidate = (self._last_id, snapshot.xmax) if wrote and self._last_id is not None else None
            self._last_id = last_id
            return fell
        candidate, xmax = self._candidate
        if snapshot.xmin >= xmax or last_id - candidate > IMPATIENCE:
            self._rise(candidate if oldest_present is None else min(candidate, oldest_present - 1), xmax, snapshot.running)
            self._candidate = None
            self._last_id = last_id
        return fell

    def notice(self, snapshot: Snapshot) -> bool:
        """Fall back for the transactions that have ended; return whether the mark fell."""
        ended = [xid for xid in self._stragglers if xid < snapshot.xmax and xid not in snapshot.running]
        if not ended:
            return False
        before = self.floor
        self.floor = min(self.floor, *(self._stragglers.pop(xid) for xid in ended))
        self._last_id = self._candidate = None
        return self.floor < before

    def reset(self) -> None:
        """Look at everything again."""
        self.floor = 0
        self._last_id = self._candidate = None
        self._stragglers.clear()

    def _rise(self, target: int, xmax: int, running: frozenset[int]) -> None:
        if target <= self.floor:
            return
        for xid in running:
            if xid < xmax:
                self._stragglers.setdefault(xid, self.floor)
        self.floor = target
