"""Dead letters: events set aside for a person, and what that person does with them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from worker.core.dead_letter import DeadLetter, LetterFilter
from worker.core.decision import SetAside
from worker.core.event import Event
from worker.store import triggers
from worker.store.connection import Connection
from worker.store.events import payload_of
from worker.store.outbox import event_of
from worker.store.statements import statement


async def set_aside(connection: Connection, letters: Mapping[int, SetAside]) -> None:
    """Move events from the outbox to the dead letters, each with its verdict, failure and hint."""
    await connection.execute(
        statement("dead_letters/set_aside"),
        list(letters),
        [letter.verdict for letter in letters.values()],
        [letter.failure.sqlstate for letter in letters.values()],
        [letter.failure.message for letter in letters.values()],
        [letter.hint for letter in letters.values()],
        [letter.failure.constraint for letter in letters.values()],
        [letter.failure.column for letter in letters.values()],
    )


async def listed(connection: Connection, wanted: LetterFilter, *, limit: int) -> list[DeadLetter]:
    """Return at most ``limit`` dead letters, newest event first, without their payload."""
    rows = await connection.fetch(
        statement("dead_letters/listed"),
        wanted.event_ids,
        wanted.verdict,
        wanted.constraint,
        wanted.user_key,
        wanted.before,
        limit,
    )
    return [DeadLetter(**dict(row)) for row in rows]


async def one(connection: Connection, event_id: int) -> DeadLetter | None:
    """Return one dead letter with its payload and the triggers that may be behind it, or None where there is none."""
    letters = await whole(connection, [event_id])
    return replace(letters[0], triggers=await triggers.behind(connection, letters[0])) if letters else None


async def whole(connection: Connection, event_ids: Sequence[int]) -> list[DeadLetter]:
    """Return dead letters with their payloads, oldest event first; those that are not there are left out."""
    return [_whole(dict(row)) for row in await connection.fetch(statement("dead_letters/whole"), event_ids)]


async def as_events(connection: Connection, event_ids: Sequence[int]) -> list[Event]:
    """Return dead letters as the events that they would be again, oldest first: with no attempt behind them."""
    return [event_of(row) for row in await connection.fetch(statement("dead_letters/as_events"), event_ids)]


async def requeue(connection: Connection, event_ids: Sequence[int]) -> int:
    """Send dead letters back to the careful lane; return how many there were."""
    return int(await connection.fetchval(statement("dead_letters/requeue"), event_ids))


async def discard(connection: Connection, event_ids: Sequence[int]) -> int:
    """Let dead letters go, captured rows included; return how many there were."""
    return int(await connection.fetchval(statement("dead_letters/discard"), event_ids))


async def act_for(connection: Connection, person: str) -> None:
    """Say whom this transaction acts for; the audit writes it beside the role."""
    await connection.execute(statement("dead_letters/act_for"), person)


def _whole(fields: dict[str, Any]) -> DeadLetter:
    payload = payload_of(fields.pop("row_image"), fields.pop("writer_claims"))
    return DeadLetter(payload=payload, **fields)
