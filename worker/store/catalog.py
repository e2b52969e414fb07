"""The catalog of the application's database, read for a proposal; nothing is written."""

import json

import asyncpg

from worker.core.catalog import Catalog, Column, ForeignKey, Table, UniqueKey, Writer
from worker.core.proposal import MOST_COUNTED, Function, Proposal, Surroundings
from worker.core.source_failure import RefusedCondition
from worker.errors import SourceRefusedError
from worker.store import people, sources
from worker.store.connection import Connection, failure_of, is_lost
from worker.store.statements import statement

_COUNT_TIMEOUT = "10s"


async def read(connection: Connection) -> Catalog:
    """Return tables, foreign keys, and what is attached and guarded already."""
    tables = await connection.fetch(statement("catalog/tables"))
    keys = await connection.fetch(statement("catalog/foreign_keys"))
    return Catalog(
        tuple(_table(row) for row in tables),
        tuple(_foreign_key(row) for row in keys),
        await sources.attached(connection),
        await sources.guards(connection),
    )


async def function(connection: Connection, name: str, key_type: str) -> Function:
    """Return a function by its name, with or without arguments. Raises SourceRefusedError where there is none."""
    row = await connection.fetchrow(statement("catalog/function"), name, key_type)
    if row is None:
        raise SourceRefusedError(
            f"there is no function {name} that takes a {key_type}",
            hint="name it with its schema: --recipe-function 'SCHEMA.FUNCTION'; it is called with the key of one user",
        )
    return Function(row["qualified"], row["signature"])


async def role(connection: Connection, name: str) -> str:
    """Return a role's name as it stands in SQL. Raises SourceRefusedError where there is none."""
    quoted: str | None = await connection.fetchval(statement("catalog/role"), name)
    if quoted is None:
        raise SourceRefusedError(f"there is no role {name}", hint="name a role as pg_roles has it: --grant ROLE")
    return quoted


async def surroundings(connection: Connection, proposal: Proposal) -> Surroundings:
    """Return what is so where the proposal would be applied."""
    users, profiles = proposal.pair.users, proposal.pair.profiles
    guarded = sorted({choice.key.referencing_table for choice in proposal.guards if choice.mode != "none"})
    session = await connection.fetchrow(statement("catalog/session"))
    assert session is not None
    given = None if proposal.function else [*proposal.recipe]
    rights = await connection.fetch(
        statement("catalog/missing_rights"), users.table.quoted, profiles.table.quoted, profiles.key.name, given
    )
    writers = await connection.fetch(statement("catalog/writers"), guarded)
    return Surroundings(
        session["database_name"],
        session["role_name"],
        await _lacking(connection, proposal),
        tuple(row["missing_right"] for row in rights),
        tuple(Writer(row["quoted"], row["is_everybody"], tuple(row["tables"])) for row in writers),
        await sources.letters(connection, proposal.attached.source_id) if proposal.attached else {},
    )


async def refused_conditions(connection: Connection, proposal: Proposal) -> list[RefusedCondition]:
    """Return the conditions of a proposal that the server does not accept over the users table; none where it may not be read."""
    tried = [
        ("eligible_when", proposal.eligible.text, (proposal.eligible.text, "false")),
        ("erased_when", proposal.erased.text, ("true", proposal.erased.text)),
    ]
    refused = []
    for name, written, conditions in tried:
        try:
            async with connection.transaction():
                await people.try_conditions(connection, proposal.pair.users.table.quoted, *conditions)
        except asyncpg.InsufficientPrivilegeError:
            return []
        except asyncpg.PostgresError as error:
            if is_lost(error, connection):
                raise
            refused.append(RefusedCondition(name, written, failure_of(error)))
    return refused


async def _lacking(connection: Connection, proposal: Proposal) -> int | None:
    """Count users without a profile, so far and so long as it is worth it."""
    users, profiles = proposal.pair.users, proposal.pair.profiles
    try:
        async with connection.transaction():
            await connection.execute(f"set local statement_timeout = '{_COUNT_TIMEOUT}'")
            counted: int = await connection.fetchval(
                statement("catalog/users_without_profile"),
                users.table.quoted,
                users.key.name,
                profiles.table.quoted,
                profiles.key.name,
                proposal.eligible.text,
                proposal.erased.text,
                MOST_COUNTED + 1,
            )
    except (asyncpg.QueryCanceledError, asyncpg.InsufficientPrivilegeError):
        return None
    return counted


def _table(row: asyncpg.Record) -> Table:
    return Table(
        row["schema_name"],
        row["relation_name"],
        row["quoted"],
        tuple(Column(**column) for column in json.loads(row["columns"] or "[]")),
        tuple(UniqueKey(tuple(key["columns"]), key["is_primary"]) for key in json.loads(row["unique_keys"] or "[]")),
        row["hides_rows"],
    )


def _foreign_key(row: asyncpg.Record) -> ForeignKey:
    values = dict(row)
    values["referencing_columns"] = tuple(values["referencing_columns"])
    values["referenced_columns"] = tuple(values["referenced_columns"])
    return ForeignKey(**values)
