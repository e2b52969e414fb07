"""Events as a person looks at them: which wait in the outbox, and one of them."""

import json
from collections.abc import Mapping
from typing import Any

from worker.core.failure import Failure
from worker.core.payload import Payload
from worker.core.pending_event import EventFilter, PendingEvent
from worker.store.connection import Connection
from worker.store.statements import statement


async def listed(connection: Connection, wanted: EventFilter, *, limit: int) -> list[PendingEvent]:
    """Return at most ``limit`` events, newest first, without their payload."""
    rows = await connection.fetch(
        statement("events/listed"),
        wanted.user_key,
        wanted.kind,
        wanted.table,
        wanted.constraint,
        wanted.state,
        wanted.before,
        limit,
    )
    return [_event(dict(row)) for row in rows]


async def table_exists(connection: Connection, table: str) -> bool:
    """Return whether there is a table of this name, with or without its schema."""
    return bool(await connection.fetchval(statement("events/table_exists"), table))


async def one(connection: Connection, event_id: int) -> PendingEvent | None:
    """Return one event with its payload, or None where it is in neither lane."""
    row = await connection.fetchrow(statement("events/one"), event_id)
    if row is None:
        return None
    fields = dict(row)
    return _event(fields, payload=payload_of(fields.pop("row_image"), fields.pop("writer_claims")))


async def last_given(connection: Connection) -> int:
    """Return the last event id that was given out, or 0."""
    return int(await connection.fetchval(statement("events/last_given")))


def payload_of(row_image: str | None, writer_claims: str | None) -> Payload | None:
    """Return what was captured, where anything was."""
    return None if row_image is None else Payload(json.loads(row_image), writer_claims)


def _event(fields: Mapping[str, Any], payload: Payload | None = None) -> PendingEvent:
    failure = Failure(**json.loads(fields["last_failure"])) if fields["last_failure"] else None
    return PendingEvent(**{**fields, "last_failure": failure}, payload=payload)
