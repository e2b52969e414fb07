"""Applications of many shapes, through every mode: what is healed or replayed is what the application would have stored."""

from itertools import product

import asyncpg
import pytest

from tests.support.database import count
from tests.support.outbox import dead_letters
from tests.support.shapes import SHAPES, Shape
from worker import pipeline
from worker.pipeline import Path
from worker.store.connection import Connection

CAPTURES = {"insert_or_park": Shape.park, "report_failed_insert": Shape.report}

shapes = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)


@pytest.mark.parametrize("capture", CAPTURES)
@shapes
async def test_captured_row_stands_as_the_application_would_have_stored_it(
    connection: Connection, path: Path, shape: Shape, capture: str
) -> None:
    """The profile is made, the row follows, and is the row that an insert by hand makes then."""
    await shape.build(connection)
    await shape.guard(connection, "report")
    key = str(await connection.fetchval(shape.sign_up))

    assert await CAPTURES[capture](shape, connection, key) == "parked"
    await pipeline.turn(path)

    assert await dead_letters(connection) == []
    assert await shape.profiles_of(connection, key) == 1
    stored = await shape.stored(connection)
    assert len(stored) == 1
    assert stored == [await inserted_by_hand(shape, connection, key)]


@shapes
async def test_ensured_insert_returns_its_row(connection: Connection, path: Path, shape: Shape) -> None:
    """The profile is made first; RETURNING, defaults and triggers are as ever; the worker finds nothing left to do."""
    await shape.build(connection)
    await shape.guard(connection, "ensure")
    key = str(await connection.fetchval(shape.sign_up))

    returned = await shape.insert(connection, key)
    await pipeline.turn(path)

    assert await shape.stored(connection) == [returned]
    assert await shape.profiles_of(connection, key) == 1
    assert await dead_letters(connection) == []


@shapes
async def test_parked_insert_stands_when_the_worker_has_had_its_turn(connection: Connection, path: Path, shape: Shape) -> None:
    """No row comes back; the one that follows is the row that an insert by hand makes then."""
    await shape.build(connection)
    await shape.guard(connection, "park")
    key = str(await connection.fetchval(shape.sign_up))

    assert await shape.insert(connection, key) is None
    assert await shape.stored(connection) == []
    await pipeline.turn(path)

    assert await dead_letters(connection) == []
    assert await shape.profiles_of(connection, key) == 1
    assert await shape.stored(connection) == [await inserted_by_hand(shape, connection, key)]


@shapes
async def test_unknown_user_keeps_the_error_of_the_key(connection: Connection, shape: Shape) -> None:
    """Whoever is in no users table gets the honest violation in every mode, from the insert and from both functions."""
    await shape.build(connection)

    for mode, attempt in product(("report", "ensure", "park"), (shape.insert, shape.park, shape.report)):
        await shape.guard(connection, mode)
        with pytest.raises(asyncpg.ForeignKeyViolationError):
            await attempt(connection, shape.unknown_key)

    assert await count(connection, "pgmend.outbox") == 0


async def inserted_by_hand(shape: Shape, connection: Connection, key: str) -> str | None:
    """Return what is left of the same row, inserted by hand in a transaction that is rolled back."""
    transaction = connection.transaction()
    await transaction.start()
    returned = await shape.insert(connection, key)
    await transaction.rollback()
    return returned
