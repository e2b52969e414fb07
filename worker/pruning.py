"""Pruning: what was kept long enough goes, and what is kept of erased users; in small transactions, by one worker at a time."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from worker.core.retention import Keeping, Pruned
from worker.store import retention
from worker.store.connection import Connection

Step = Callable[[], Awaitable[tuple[int, bool]]]
"""Handles one batch; returns how many rows went, and whether there may be more."""

End = Literal["done", "is_more", "left_to_another"]


@dataclass(slots=True)
class Pruning:
    """Prunes for so many seconds at most, and goes on where it stopped the next time. ``most``: rows of one batch."""

    keeping: Keeping
    most: int = 1000
    seconds: float = 2.0
    _looked_at: dict[int, int] = field(default_factory=dict)
    """The last event looked at for erased users, by source: a hundred thousand dead letters may take more than one sweep."""

    async def prune(self, connection: Connection) -> Pruned:
        """Let everything go whose time has come, unless another worker does."""
        deadline = time.monotonic() + self.seconds
        erased = [
            await _batches(connection, deadline, partial(self._drop_erased, connection, source_id))
            for source_id in await retention.sources(connection)
        ]
        steps = (
            (retention.expire_captured_rows, self.keeping.captured_rows),
            (retention.expire_dead_letters, self.keeping.dead_letters),
            (retention.expire_audit_entries, self.keeping.audit_entries),
        )
        expired = [
            await _batches(connection, deadline, partial(self._expire, partial(expire, connection), days))
            if days
            else (0, "done")
            for expire, days in steps
        ]
        (captured_rows, dead_letters, audit_entries) = (rows for rows, _ in expired)
        ends = {end for _, end in (*erased, *expired)}
        dropped = sum(rows for rows, _ in erased)
        return Pruned(captured_rows, dead_letters, audit_entries, dropped, "is_more" in ends, "left_to_another" in ends)

    async def _expire(self, expire: Callable[..., Awaitable[int]], days: float) -> tuple[int, bool]:
        rows = await expire(most=self.most, days=days)
        return rows, rows >= self.most

    async def _drop_erased(self, connection: Connection, source_id: int) -> tuple[int, bool]:
        after = self._looked_at.get(source_id, 0)
        last, dropped = await retention.drop_erased(connection, source_id, after=after, most=self.most)
        self._looked_at[source_id] = last
        return dropped, last > 0


async def _batches(connection: Connection, deadline: float, step: Step) -> tuple[int, End]:
    """Repeat a step, each time in a transaction of its own, until there is no more, or no more time; at least once."""
    rows = 0
    while True:
        async with connection.transaction():
            if not await retention.lock(connection):
                return rows, "left_to_another"
            went, more = await step()
        rows += went
        if not more or time.monotonic() >= deadline:
            return rows, "is_more" if more else "done"
