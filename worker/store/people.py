"""People: whose profiles are referred to, from the attached profile sources or from what a person says; and how many have one."""

from dataclasses import dataclass

from worker.core.diagnosis import Column, Constraint, Coverage
from worker.core.reference import People
from worker.store.connection import Connection
from worker.store.statements import statement


@dataclass(frozen=True, slots=True)
class Installation:
    """What of pgmend this role may read. ``audit_tables``: the tables behind the audit; they refer to users, and need no key."""

    has_sources: bool
    has_audit: bool
    audit_tables: tuple[str, ...]


async def installation(connection: Connection) -> Installation:
    """Return what of pgmend this role may read; nothing of it has to be installed."""
    (row,) = await connection.fetch(statement("people/installation"))
    return Installation(row["has_sources"], row["has_audit"], tuple(row["audit_tables"]))


async def attached(connection: Connection, *, is_audited: bool) -> list[People]:
    """Return the people of the attached profile sources whose tables are still there."""
    return [People(**dict(row)) for row in await connection.fetch(statement("people/attached"), is_audited)]


async def columns(connection: Connection, table: str) -> tuple[Column, ...]:
    """Return the columns of a table."""
    return tuple(Column(**dict(row)) for row in await connection.fetch(statement("people/columns"), table))


async def constraints(connection: Connection, table: str) -> tuple[Constraint, ...]:
    """Return the constraints of a table."""
    return tuple(Constraint(**dict(row)) for row in await connection.fetch(statement("people/constraints"), table))


async def coverage(connection: Connection, people: People) -> Coverage:
    """Count users and profiles."""
    query = await connection.fetchval(
        statement("people/coverage"),
        people.users_table,
        people.users_key,
        people.profiles_table,
        people.profiles_key,
        people.eligible_when,
        people.erased_when,
    )
    (row,) = await connection.fetch(query)
    return Coverage(**dict(row))


async def try_conditions(connection: Connection, users_table: str, *conditions: str) -> None:
    """Raise what the server has against two conditions over the users row, those of eligible_when and of erased_when."""
    await connection.fetch(await connection.fetchval(statement("people/conditions"), users_table, *conditions))
