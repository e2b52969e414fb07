"""A table and its key, by the names that a person gives or that the catalog has."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from worker.core.catalog import Catalog, Column, Table
from worker.errors import SourceRefusedError, SourceUnclearError

_IDENTIFIER = re.compile(r'"((?:[^"]|"")+)"|([^".]+)')


@dataclass(frozen=True, slots=True)
class Found:
    """A table, the column that is its key, and why it was taken."""

    table: Table
    key: Column
    reason: str


def plain(name: str) -> str:
    """Return a name without capitals and underscores, so that ``userProfiles`` and ``user_profiles`` are one."""
    return name.replace("_", "").lower()


def named(catalog: Catalog, name: str, option: str) -> Table:
    """Return the table of a name as a person writes it: with its schema or without, quoted where it has capitals."""
    parts = [match[1].replace('""', '"') if match[1] else match[2] for match in _IDENTIFIER.finditer(name)]
    folded = [match[0].lower() if match[2] else part for match, part in zip(_IDENTIFIER.finditer(name), parts, strict=True)]
    for wanted in (folded, parts):
        found = [table for table in catalog.tables if [table.schema_name, table.relation_name][-len(wanted) :] == wanted]
        if len(found) == 1:
            return found[0]
        if found:
            raise SourceUnclearError(
                f"there is more than one table {name}",
                detail=listed(found),
                hint=f"name one with its schema: {option} SCHEMA.TABLE",
            )
    raise SourceUnclearError(f"there is no table {name}", hint=f"name a table with its schema: {option} SCHEMA.TABLE")


def with_key(table: Table, key: str | None, option: str, reason: str) -> Found:
    """Return the table with its key. Refused with the reason where it has none that can be one."""
    name = key or _only_key(table, option)
    column = table.by_name.get(name) or table.by_name.get(name.strip('"')) or table.by_name.get(name.lower())
    if column is None:
        raise SourceUnclearError(
            f"the table {table.quoted} has no column {name}", detail=listed_columns(table), hint=f"name one: {option} COLUMN"
        )
    if not table.is_unique(column.name):
        raise SourceRefusedError(
            f"{table.quoted}.{column.quoted} is no key of its own",
            detail="one user has one profile",
            hint=f"give it a unique index of that column alone, or name another: {option} COLUMN",
        )
    if column.kind is None:
        raise SourceRefusedError(
            f"the key {table.quoted}.{column.quoted} is of type {column.type_name}",
            hint="keys of type uuid, text, varchar, char, smallint, integer, bigint and numeric can be attached",
        )
    return Found(table, column, reason)


def _only_key(table: Table, option: str) -> str:
    if len(table.primary_key) > 1:
        raise SourceRefusedError(
            f"the key of {table.quoted} is composite",
            detail=f"it has the columns {', '.join(table.primary_key)}",
            hint=f"pgmend knows users by one column: name one that has a unique index of its own, {option} COLUMN",
        )
    if not table.primary_key:
        raise SourceUnclearError(
            f"{table.quoted} has no primary key", detail=listed_columns(table), hint=f"name its key: {option} COLUMN"
        )
    return table.primary_key[0]


def listed(tables: Iterable[Table]) -> str:
    """Return the candidates, for the detail of an error."""
    return ", ".join(table.quoted for table in tables)


def listed_columns(table: Table) -> str:
    """Return the columns of a table, for the detail of an error."""
    return f"it has {', '.join(column.quoted for column in table.columns)}"


def spelled(found: Found) -> str:
    """Return ``schema.table.column``."""
    return f"{found.table.quoted}.{found.key.quoted}"
