"""Foreign keys to be: what the catalog shows of a reference, and the text of each step, quoted by the server."""

from typing import Any, assert_never

import asyncpg

from worker.core.constrain.picture import Circumstances, Guarding, Index, Key, Picture, Relation
from worker.core.constrain.step import (
    AddKey,
    AttachIndex,
    AwaitIndex,
    CountOrphans,
    CreateIndex,
    CreateIndexOnly,
    DropIndex,
    GuardKey,
    Step,
    ValidateKey,
)
from worker.core.constrain.wish import Wish
from worker.core.reference import People, Reference
from worker.store.connection import Connection
from worker.store.statements import statement


async def picture(connection: Connection, wish: Wish, *, is_clean: bool) -> Picture:
    """Return what there is of a reference now."""
    it = wish.reference
    table, columns, referenced, its_columns = (
        it.referencing_table,
        it.referencing_columns,
        it.referenced_table,
        it.referenced_columns,
    )
    relations = await connection.fetch(statement("constraints/relations"), table, columns, wish.name)
    keys = await connection.fetch(statement("constraints/keys"), table, columns, referenced, its_columns)
    indexes = await connection.fetch(statement("constraints/indexes"), table, columns)
    facts = await connection.fetchrow(statement("constraints/circumstances"), table, columns, referenced, its_columns)
    assert facts is not None, "the reference was just found"
    return Picture(
        tuple(Relation(**dict(row)) for row in relations),
        tuple(Key(**dict(row)) for row in keys),
        tuple(Index(**dict(row)) for row in indexes),
        Circumstances(**_tuples(facts)),
        await _guarding(connection, it),
        is_clean,
    )


async def spelled(connection: Connection, table: str) -> str | None:
    """Return a table's name as the catalog prints it, or None where there is no such table."""
    try:
        row = await connection.fetchrow(statement("constraints/spelled"), table)
    except (asyncpg.InvalidNameError, asyncpg.PostgresSyntaxError):  # what cannot be a name names nothing
        return None
    return row["name"] if row is not None and row["is_table"] else None


async def is_installed(connection: Connection) -> bool:
    """Return whether the schema pgmend is here, and this role may look at what is attached."""
    return bool(await connection.fetchval(statement("constraints/installed")))


async def people(connection: Connection) -> dict[People, bool]:
    """Return whose profiles the sources have, each with whether this role may read the users."""
    if not await is_installed(connection):
        return {}
    rows = [dict(row) for row in await connection.fetch(statement("constraints/people"))]
    return {People(**row): is_readable for row in rows for is_readable in [row.pop("is_readable")]}


async def count_orphans(connection: Connection, reference: Reference, step: CountOrphans) -> int:
    """Return how many rows would violate the key."""
    return int(await connection.fetchval(await text(connection, reference, step)))


async def count_reasons(connection: Connection, selection: str) -> dict[str, int]:
    """Return how many orphans of a selection there are for each reason."""
    query = await connection.fetchval(statement("constraints/count_reasons"), selection)
    return {row["reason"]: row["number"] for row in await connection.fetch(query)}


async def progress(connection: Connection, pid: int) -> str | None:
    """Return how far a backend has come with an index, or None where it builds none."""
    row = await connection.fetchrow(statement("constraints/progress"), pid)
    if row is None:
        return None
    return str(row["phase"]) if row["percent"] is None else f"{row['phase']}, {row['percent']} %"


async def text(connection: Connection, reference: Reference, step: Step) -> str:
    """Return the SQL of a step; nothing where a step only waits."""
    call: tuple[object, ...]
    match step:
        case CountOrphans(table, referenced):
            columns, its_columns = reference.referencing_columns, reference.referenced_columns
            call = (statement("constraints/count_orphans"), table, columns, referenced, its_columns)
        case AwaitIndex():
            return ""
        case CreateIndex(table, index, column_list):
            call = (statement("constraints/create_index"), table, index, column_list, False)
        case CreateIndexOnly(table, index, column_list):
            call = (statement("constraints/create_index"), table, index, column_list, True)
        case AttachIndex(index=index, index_above=index_above):
            call = (statement("constraints/attach_index"), index_above, index)
        case DropIndex(index=index):
            call = (statement("constraints/drop_index"), index)
        case AddKey(table, name, column_list, referenced, referenced_list, on_delete, checked, is_not_valid):
            ends = (table, name, column_list, referenced, referenced_list)
            call = (statement("constraints/add_key"), *ends, on_delete, checked, is_not_valid)
        case ValidateKey(table, name):
            call = (statement("constraints/validate_key"), table, name)
        case GuardKey(table, name, mode):
            call = (statement("constraints/guard"), table, name, mode)
        case _ as never:
            assert_never(never)
    query, *arguments = call
    return str(await connection.fetchval(str(query), *arguments))


async def _guarding(connection: Connection, reference: Reference) -> Guarding | None:
    if not await is_installed(connection):
        return None
    ends = (reference.referencing_table, reference.referenced_table, reference.referenced_columns)
    row = await connection.fetchrow(statement("constraints/guarding"), *ends)
    assert row is not None, "an aggregate always returns a row"
    return Guarding(**_tuples(row))


def _tuples(row: asyncpg.Record) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
