"""Status: how an installation stands, asked in one statement whose work is bounded whatever the tables hold."""

import json
from datetime import datetime
from typing import Any

from worker.core.status import Backlog, Find, LetterCount, Minute, OrphanCount, SourceStatus, Status, WorkerSeen
from worker.store.connection import Connection
from worker.store.statements import statement

EVENTS_COUNTED = 100_000
"""Events of a lane, and dead letters of a verdict, that are counted at most."""

EFFECTS_COUNTED = 10_000
"""Profiles healed, and inserts replayed, that are counted of one minute at most."""

_HEALED_LOOKED_AT = 500


async def seen(connection: Connection) -> Status:
    """Return how the installation stands at this moment."""
    bounds = EVENTS_COUNTED, EFFECTS_COUNTED, _HEALED_LOOKED_AT
    (row,) = await connection.fetch(statement("status/seen"), *bounds)
    return Status(
        seen_at=row["seen_at"],
        sources=tuple(
            SourceStatus(**it) for it in _objects(row["sources"], "paused_at", "overdue_since", "counted_at", "failing_since")
        ),
        backlog=Backlog(row["express"], row["careful"], EVENTS_COUNTED, row["oldest_age"], row["overdue"]),
        workers=tuple(WorkerSeen(**it) for it in _objects(row["workers"], "started_at")),
        letters=tuple(LetterCount(counted_up_to=EVENTS_COUNTED, **it) for it in _objects(row["letters"], "newest_at")),
        minutes=tuple(Minute(counted_up_to=EFFECTS_COUNTED, **it) for it in _objects(row["minutes"], "began")),
        finds=tuple(Find(**it) for it in _objects(row["finds"], "at")),
        orphans=tuple(OrphanCount(**it) for it in _objects(row["orphans"], "orphans_since", "counted_at")),
    )


def _objects(text: str | None, *times: str) -> list[dict[str, Any]]:
    """Return the fields of each object of a JSON array, with those that are times as such."""
    objects: list[dict[str, Any]] = json.loads(text or "[]")
    return [it | {name: datetime.fromisoformat(it[name]) for name in times if it[name]} for it in objects]
