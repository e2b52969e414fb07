"""Applications of many shapes, through every mode: what is healed or replayed is what the application would have stored."""

import asyncpg
import pytest

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
async def test_unknown_user_keeps_the_error_of_the_key(connection: Connection, shape: Shape) -> None:
    """Whoever is in no users table gets the honest violation."""
    await shape.build(connection)
    await shape.guard(connection, "ensure")

    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await shape.insert(connection, shape.unknown_key)


async def inserted_by_hand(shape: Shape, connection: Connection, key: str) -> str:
    """Return what is left of the same row, inserted by hand in a transaction that is rolled back."""
    transaction = connection.transaction()
    await transaction.start()
    returned = await shape.insert(connection, key)
    await transaction.rollback()
    return returned
