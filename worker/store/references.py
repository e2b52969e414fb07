"""References between tables, read from the catalog; nothing of pgmend has to be installed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from worker.core.diagnosis import likely
from worker.core.reference import People, Reference
from worker.core.table_names import likely_columns, role_columns
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


async def guessed(
    connection: Connection, whose: People, listed: Sequence[Reference], *, left_out: Iterable[str]
) -> list[Reference]:
    """Return the columns that should refer to the profiles by their names, and are listed nowhere yet.

    ``left_out``: tables, beside the users', none of whose columns is meant.
    """
    declared = [it.referencing_columns for it in listed if it.referenced_table == whose.profiles_table]
    certain = {columns[0] for columns in declared if len(columns) == 1}
    certain |= {*likely_columns(whose.users_table, whose.profiles_table)}
    names = [*certain, *role_columns(await tables(connection))]
    found = await intended(connection, whose.profiles_table, whose.profiles_key, names=names)
    taken = {(it.referencing_table, it.referencing_columns) for it in listed}
    return [
        it
        for it in likely(found, certain=certain, left_out={whose.users_table, *left_out})
        if (it.referencing_table, it.referencing_columns) not in taken
    ]


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
