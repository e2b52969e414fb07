"""Partitioned referencing tables: rows that come to the root and rows that come to a leaf, one by one and by COPY."""

import asyncpg
import pytest

from tests.support.database import count
from tests.support.shapes import SHAPES, Shape
from worker.store.connection import Connection

RANGE, HASH = SHAPES["partitioned by range"], SHAPES["partitioned by hash"]
LEAVES = pytest.mark.parametrize(
    ("shape", "leaf"), [(RANGE, "notes"), (RANGE, "notes_2026"), (RANGE, "notes_else"), (HASH, "notes"), (HASH, None)]
)


async def leaf_of(connection: Connection, leaf: str | None, key: str) -> str:
    """Return the table, or of the two that a hash chooses from the one for that user."""
    if leaf:
        return leaf
    is_first = await connection.fetchval("select satisfies_hash_partition('shape.notes'::regclass, 2, 0, $1::text::uuid)", key)
    return "notes_0" if is_first else "notes_1"


@LEAVES
async def test_rows_that_come_to_root_or_leaf_are_ensured(connection: Connection, shape: Shape, leaf: str | None) -> None:
    """The guard stands at the root and fires on every leaf; each load makes one profile for each user."""
    await shape.build(connection)
    await shape.guard(connection, "ensure")
    one, other = [str(await connection.fetchval(shape.sign_up)) for _ in range(2)]
    at = "2020-01-01" if leaf == "notes_else" else "2026-05-05"

    table = await leaf_of(connection, leaf, one)
    inserted = f"insert into shape.{table} (user_id, content, at) values ($1, 'hi', '{at}') returning content"
    assert await connection.fetchval(inserted, one) == "hi"
    table = await leaf_of(connection, leaf, other)
    day = await connection.fetchval(f"select '{at}'::date")
    copied = await connection.copy_records_to_table(table, schema_name="shape", records=[(other, "hi", day)] * 3)

    assert copied == "COPY 3"
    assert await count(connection, "shape.notes join shape.profiles on user_id = id") == 4
    assert await count(connection, "shape.profiles") == 2


@pytest.mark.parametrize("function", ["insert_or_park", "report_failed_insert"])
async def test_captured_row_of_a_leaf_is_the_honest_violation(connection: Connection, function: str) -> None:
    """What is guarded is the root; a capture that names a leaf keeps nothing, and the caller gets the violation."""
    shape = RANGE
    await shape.build(connection)
    await shape.guard(connection, "report")
    key = str(await connection.fetchval(shape.sign_up))

    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await connection.execute(f"select pgmend.{function}('shape.notes_2026', $1)", shape.row % key)

    assert await count(connection, "pgmend.outbox where kind = 'insert_failed'") == 0
