"""Profile sources: which are attached, attaching, and detaching."""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import asyncpg

from worker.core.catalog import Guard, Source
from worker.core.status import SourceStatus
from worker.errors import EventsPendingError, PgmendError, PrivilegeMissingError, SourceRefusedError
from worker.store.connection import Connection, explained
from worker.store.locks import PAUSES_SECONDS, patiently
from worker.store.statements import statement

_ERRORS: dict[str, type[PgmendError]] = {
    "PM011": EventsPendingError,
    "42501": PrivilegeMissingError,
    "0A000": SourceRefusedError,
    "22023": SourceRefusedError,
    "42703": SourceRefusedError,
    "42804": SourceRefusedError,
    "42P10": SourceRefusedError,
    "42P13": SourceRefusedError,
}
"""What the functions refuse, by SQLSTATE. Each of them says itself what would help."""


@dataclass(frozen=True, slots=True)
class Events:
    """How much of one source is not settled."""

    captured_rows: int = 0
    sign_ups: int = 0


async def attached(connection: Connection) -> tuple[Source, ...]:
    """Return the attached sources."""
    rows = await connection.fetch(statement("sources/attached"))
    return tuple(Source(**{**row, "recipe": json.loads(row["recipe"])}) for row in rows)


async def statuses(connection: Connection) -> list[SourceStatus]:
    """Return the attached sources, and whether each is paused; nothing of what was counted."""
    return [SourceStatus(**dict(row)) for row in await connection.fetch(statement("sources/statuses"))]


async def guards(connection: Connection) -> tuple[Guard, ...]:
    """Return the guards of all sources."""
    return tuple(Guard(**row) for row in await connection.fetch(statement("sources/guards")))


async def events(connection: Connection) -> dict[int, Events]:
    """Return what is not settled, by source."""
    rows = await connection.fetch(statement("sources/events"))
    return {row["source_id"]: Events(row["captured_rows"], row["sign_ups"]) for row in rows}


async def letters(connection: Connection, source_id: int) -> dict[str, int]:
    """Return how many dead letters of a source there are, by verdict."""
    return {row["verdict"]: row["letters"] for row in await connection.fetch(statement("sources/letters"), source_id)}


async def attach(connection: Connection, text: str, *, pauses: Sequence[float] = PAUSES_SECONDS) -> None:
    """Run the SQL of a proposal, all of it or nothing."""

    async def act() -> None:
        await connection.execute(text)

    await _patiently(connection, act, pauses)


async def detach(
    connection: Connection, source_ids: Sequence[int], *, discard_events: bool, pauses: Sequence[float] = PAUSES_SECONDS
) -> None:
    """Remove sources and all that belongs to them, all of it or nothing."""

    async def act() -> None:
        for source_id in source_ids:
            await connection.execute(statement("sources/detach"), source_id, discard_events)

    await _patiently(connection, act, pauses)


async def _patiently(connection: Connection, act: Callable[[], Awaitable[None]], pauses: Sequence[float]) -> None:
    try:
        await patiently(connection, act, pauses)
    except asyncpg.PostgresError as error:
        raise _explained(error) from error


def _explained(error: asyncpg.PostgresError) -> PgmendError:
    kind = _ERRORS.get(error.sqlstate or "")
    hint = getattr(error, "hint", None)
    if kind is None or hint is None:
        return explained(error)
    return kind(str(error.args[0]), hint=hint)
