"""The audit trail: a search of what was recorded, page by page, each by the index that fits what is asked."""

import json
from datetime import UTC, datetime
from typing import Any

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
    found = tuple(RecordedEntry(**dict(row) | _legible(row["created_at"], row["details"])) for row in rows[:limit])
    return AuditPage(found, found[-1].cursor if len(rows) > limit else None)


def _legible(created_at: datetime, details: str) -> dict[str, Any]:
    """Return the two fields of which others may have made more than we write: infinity, or JSON that is no object."""
    read = json.loads(details)
    return {
        "created_at": created_at if created_at.tzinfo else created_at.replace(tzinfo=UTC),
        "details": read if isinstance(read, dict) else {"details": read},
    }


def _search(wanted: AuditFilter) -> str:
    """Return the statement whose index leads to the fewest entries."""
    if wanted.event_id is not None:
        return statement("audit_trail/of_event")
    if wanted.user_id is not None:
        return statement("audit_trail/of_user")
    if wanted.error_type is not None:
        return statement("audit_trail/of_type")
    return statement("audit_trail/newest")
