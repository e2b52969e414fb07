"""The outbox: events are written by triggers, and claimed, acknowledged and released here."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import asyncpg

from worker.core.decision import Release
from worker.core.event import Capture, Event
from worker.core.failure import Failure
from worker.core.low_water import Snapshot
from worker.store.connection import Connection
from worker.store.statements import statement


@dataclass(frozen=True, slots=True)
class ExpressBatch:
    """What one express statement did.

    ``oldest_waited`` and ``careful_due_in`` are seconds; ``careful_due_in`` is None when the careful lane is empty, and not
    positive when something is due. ``healed_after``: seconds from each healed event to the statement's start. ``traceparents``:
    correlation ids of the batch that may be some, no more of them than were asked for.
    """

    limit: int
    claimed: int
    healed: int
    already_whole: int
    last_event_id: int | None
    oldest_waited: float
    careful_due_in: float | None
    healed_after: Sequence[float] = ()
    traceparents: Sequence[str] = ()

    @property
    def is_full(self) -> bool:
        """Return whether there may be more."""
        return self.claimed >= self.limit

    @property
    def left_over(self) -> int:
        """Return how many events went to the careful lane."""
        return self.claimed - self.healed - self.already_whole

    @property
    def careful_is_due(self) -> bool:
        """Return whether the careful lane has something to do now."""
        return self.left_over > 0 or (self.careful_due_in is not None and self.careful_due_in <= 0)


@dataclass(frozen=True, slots=True)
class Observation:
    """What the low-water mark wants to know, and whether another worker holds an event that could be claimed."""

    oldest_present: int | None
    is_held: bool
    last_id: int
    snapshot: Snapshot


async def express(connection: Connection, *, after: int, limit: int, traceparents: int = 0) -> ExpressBatch:
    """Settle at most ``limit`` sign-ups with ids above ``after`` in one statement, which is its own transaction."""
    row = await connection.fetchrow(statement("outbox/express"), after, limit, traceparents)
    return ExpressBatch(limit=limit, **_fields(row))


async def hand_over(connection: Connection, *, after: int) -> ExpressBatch:
    """Give the first sign-up above ``after`` to the careful lane; return it as a batch of one that is left over."""
    event_id = await connection.fetchval(statement("outbox/hand_over"), after)
    claimed = 0 if event_id is None else 1
    return ExpressBatch(1, claimed, 0, 0, last_event_id=event_id, oldest_waited=0.0, careful_due_in=None)


async def claim(connection: Connection, *, limit: int, of: Sequence[int] = (), others: bool = True) -> list[Event]:
    """Lock at most ``limit`` due events of the careful lane until the transaction ends: those ``of``, or all ``others``."""
    rows = await connection.fetch(statement("outbox/claim"), limit, of, others)
    return [event_of(row) for row in rows]


async def acknowledge(connection: Connection, event_ids: Sequence[int]) -> None:
    """Remove events that are settled."""
    await connection.execute(statement("outbox/acknowledge"), event_ids)


async def release(connection: Connection, releases: Mapping[int, Release]) -> None:
    """Give events back, each claimable again after its delay."""
    await connection.execute(
        statement("outbox/release"),
        list(releases),
        [release.delay for release in releases.values()],
        [json.dumps(asdict(release.failure)) for release in releases.values()],
        [release.waiting_for for release in releases.values()],
        [release.waits_for_event for release in releases.values()],
    )


async def resume_referencing(connection: Connection, event_ids: Sequence[int]) -> None:
    """Make captured rows due that waited for these to be settled."""
    await connection.execute(statement("outbox/resume_referencing"), event_ids)


async def captured_reference(connection: Connection, event_id: int, capture: Capture, constraint: str) -> int | None:
    """Return the event of the captured row that this one refers to through a foreign key, if there is one to wait for."""
    referred_to: int | None = await connection.fetchval(
        statement("outbox/captured_reference"), capture.referencing_oid, capture.row_image, constraint, event_id
    )
    return referred_to


async def announce_referenced(connection: Connection, capture: Capture, constraint: str, correlation_id: str | None) -> None:
    """Announce the user whose profile a captured row misses through another guarded key, if the source wants one."""
    await connection.execute(
        statement("outbox/announce_referenced"), capture.referencing_oid, capture.row_image, constraint, correlation_id
    )


async def observe(connection: Connection, *, after: int) -> Observation:
    """Look at the outbox for the low-water mark: the oldest express event above ``after``, the last id, the snapshot."""
    row = await connection.fetchrow(statement("outbox/observe"), after)
    fields = _fields(row)
    return Observation(fields["oldest_present"], fields["is_held"], fields["last_id"], Snapshot.parse(fields["snapshot"]))


def event_of(row: asyncpg.Record) -> Event:
    """Return the event of a row with the columns of the claim."""
    return Event(
        event_id=row["event_id"],
        source_id=row["source_id"],
        user_key=row["user_key"],
        attempts=row["attempts"],
        age=row["age"],
        correlation_id=row["correlation_id"],
        last_failure=_last_failure(row["last_failure"]),
        capture=_capture(row) if row["row_image"] is not None else None,
    )


def _capture(row: asyncpg.Record) -> Capture:
    return Capture(
        referencing_table=row["referencing_table"],
        referencing_oid=row["referencing_oid"],
        constraint_name=row["constraint_name"],
        row_image=row["row_image"],
        writer_role=row["writer_role"],
        writer_claims=row["writer_claims"],
        waiting_for=row["waiting_for"],
        user_seen=row["user_seen"],
        replayed_error_type=row["replayed_error_type"],
        unknown_user_grace=row["unknown_user_grace"],
        is_guarded=row["is_guarded"],
        referenced_capture=row["referenced_capture"],
    )


def _last_failure(text: str | None) -> Failure | None:
    return None if text is None else Failure(**json.loads(text))


def _fields(row: asyncpg.Record | None) -> dict[str, Any]:
    if row is None:  # pragma: no cover - an aggregate without group by always returns a row
        raise LookupError
    return dict(row)
