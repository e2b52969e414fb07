"""References between tables, read from the catalog; nothing of pgmend has to be installed."""

from collections.abc import Sequence
from typing import Any

import asyncpg

from worker.core.reference import Reference
from worker.store.connection import Connection
from worker.store.statements import statement


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


def _reference(row: asyncpg.Record) -> Reference:
    fields: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
    return Reference(**fields)
