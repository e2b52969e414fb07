"""Observation: one statement for all that metrics and probes read of the database."""

import json

from worker.core.observation import LeaseState, Observation, ReferenceState, SourceState
from worker.store.connection import Connection
from worker.store.statements import statement

_MOST_EVENTS = 100_000
_MOST_LISTED = 200
_SMALLEST_TIME = 1_000_000_000_000


async def look(connection: Connection) -> Observation:
    """Look once, at no more than so many events, dead letters, sources and references."""
    row = await connection.fetchrow(statement("observation/look"), _MOST_EVENTS, _MOST_LISTED)
    assert row is not None, "an aggregate always returns a row"
    return Observation(
        schema_version=row["schema_version"] or 0,
        outbox={"express": row["express_events"], "careful": row["careful_events"]},
        oldest_due_age=row["oldest_due_age"],
        dead_letters=json.loads(row["dead_letters"]),
        sources=tuple(SourceState(**source) for source in json.loads(row["sources"])),
        references=tuple(ReferenceState(**counted) for counted in json.loads(row["orphans"])),
        workers_alive=row["workers_alive"],
        workers_listening=row["workers_listening"],
        lease=_lease(row["lease"]),
    )


def _lease(said: int) -> LeaseState:
    """Return what the doorbell's lease means (``sql/migrations/0006_doorbell.sql``)."""
    if said > _SMALLEST_TIME:
        return "awake"
    return "looking" if said else "asleep"
