"""Dead letters: events set aside for a person."""

from collections.abc import Mapping

from worker.core.decision import SetAside
from worker.store.connection import Connection
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
    )
