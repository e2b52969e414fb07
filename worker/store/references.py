"""References between tables, read from the catalog; nothing of pgmend has to be installed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from worker.core.reference import Reference
from worker.store.connection import Connection
from worker.store.statements import statement


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The index that serves a reference, the column that says when a row was made, how many rows the server believes in."""

    index_name: str | None
    seen_column: str | None
    believed_rows: int | None


@dataclass(frozen=True, slots=True)
class Place:
    """One reading of a typed name. ``has_column``: the column was typed, and not taken from the primary key."""

    table_name: str
    column_name: str | None
    has_column: bool


async def declared(connection: Connection, referenced_table: str) -> list[Reference]:
    """Return the foreign keys that lead to a table."""
    return [_reference(row) for row in await connection.fetch(statement("references/declared"), referenced_table)]


async def intended(connection: Connection, referenced_table: str, key: str, *, names: Sequence[str] = ()) -> list[Reference]:
    """Return columns without a foreign key that are named like one which refers to the table, or as in ``names``."""
    rows = await connection.fetch(statement("references/intended"), referenced_table, key, list(names))
    return [_reference(row) for row in rows]


async def named(connection: Connection, referencing: tuple[str, ...], referenced: tuple[str, ...]) -> Reference | None:
    """Return the reference between two (table, column, …) that a person names, or None where a column does not exist."""
    (table, *columns), (referenced_table, *referenced_columns) = referencing, referenced
    row = await connection.fetchrow(statement("references/named"), table, columns, referenced_table, referenced_columns)
    return None if row is None else _reference(row)


async def surroundings(connection: Connection, reference: Reference) -> Surroundings:
    """Return what stands around a reference."""
    arguments = (reference.referencing_table, list(reference.referencing_columns))
    (row,) = await connection.fetch(statement("references/surroundings"), *arguments)
    return Surroundings(**dict(row))


async def located(connection: Connection, typed: str) -> list[Place]:
    """Return the tables and columns that a typed name (``[schema.]table[.column]``) may mean on the search_path of now."""
    return [Place(**dict(row)) for row in await connection.fetch(statement("references/located"), typed)]


async def tables(connection: Connection) -> list[str]:
    """Return the names of the application's tables, without their schemas."""
    return [row["table_name"] for row in await connection.fetch(statement("references/tables"))]


def _reference(row: asyncpg.Record) -> Reference:
    fields: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
    return Reference(**fields)
