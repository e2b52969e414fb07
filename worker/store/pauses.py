"""Pauses: which profile sources are stopped, stopping one, and letting it go on."""

from dataclasses import dataclass

import asyncpg

from worker.store.connection import Connection
from worker.store.locks import patiently
from worker.store.statements import statement


@dataclass(frozen=True, slots=True)
class PausedSource:
    """A source that makes nothing until a person resumes it. ``paused_for`` is in seconds."""

    source_id: int
    users_table: str
    paused_because: str | None
    paused_for: float


async def paused(connection: Connection) -> list[PausedSource]:
    """Return the sources that are stopped."""
    return [PausedSource(**dict(row)) for row in await connection.fetch(statement("pauses/paused"))]


async def pause(connection: Connection, source_id: int | None, *, reason: str) -> dict[int, str]:
    """Stop one source, or all (None); return the users tables of those that were not stopped before, by id."""
    rows = await connection.fetch(statement("pauses/pause"), source_id, reason)
    return {row["source_id"]: row["users_table"] for row in rows}


async def resume(connection: Connection, source_id: int | None) -> dict[int, str]:
    """Let one source go on, or all (None); return the users tables of those that were stopped, by id."""
    rows = await connection.fetch(statement("pauses/resume"), source_id)
    return {row["source_id"]: row["users_table"] for row in rows}


async def make_due(connection: Connection, source_id: int | None) -> dict[int, int]:
    """Make what waits for its next attempt due at once, in one source or in all (None); return how many events, by source."""

    async def act() -> list[asyncpg.Record]:
        return await connection.fetch(statement("pauses/make_due"), source_id)

    return {row["source_id"]: row["events"] for row in await patiently(connection, act)}


async def exists(connection: Connection, source_id: int) -> bool:
    """Return whether there is a source of this id."""
    return bool(await connection.fetchval(statement("pauses/exists"), source_id))
