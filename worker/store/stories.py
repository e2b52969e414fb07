"""Stories: everything that is known of one event, gathered from the outbox, the dead letters and the audit."""

from worker.core.recorded_entry import AuditFilter
from worker.core.story import Story, tell
from worker.store import audit_trail, dead_letters, events
from worker.store.connection import Connection

ENTRIES_TOLD = 200
"""Entries of one event that a story has at most, the newest."""


async def story(connection: Connection, event_id: int) -> Story:
    """Return the story of an event, of one moment: nothing of it moves while it is told."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        pending = await events.one(connection, event_id)
        letter = await dead_letters.one(connection, event_id)
        page = await audit_trail.search(connection, AuditFilter(event_id=event_id), limit=ENTRIES_TOLD)
        last_given = await events.last_given(connection)
    return tell(event_id, pending=pending, letter=letter, entries=page.entries, was_given=0 < event_id <= last_given)
