"""The audit trail: a search of what was recorded, page by page, each by the index that fits what is asked."""

import json

from worker.core.recorded_entry import AuditFilter, AuditPage, RecordedEntry
from worker.store.connection import Connection
from worker.store.statements import statement


async def search(connection: Connection, wanted: AuditFilter, *, limit: int) -> AuditPage:
    """Return one page of at most ``limit`` entries, newest first."""
    rows = await connection.fetch(
        _search(wanted),
        wanted.user_id,
        wanted.event_id,
        wanted.error_type,
        wanted.since,
        wanted.until,
        wanted.after.at if wanted.after else None,
        wanted.after.place if wanted.after else None,
        limit + 1,
    )
    found = tuple(RecordedEntry(**dict(row) | {"details": json.loads(row["details"])}) for row in rows[:limit])
    return AuditPage(found, found[-1].cursor if len(rows) > limit else None)


def _search(wanted: AuditFilter) -> str:
    """Return the statement whose index leads to the fewest entries."""
    if wanted.event_id is not None:
        return statement("audit_trail/of_event")
    if wanted.user_id is not None:
        return statement("audit_trail/of_user")
    if wanted.error_type is not None:
        return statement("audit_trail/of_type")
    return statement("audit_trail/newest")
