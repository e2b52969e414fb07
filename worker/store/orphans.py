"""Orphans: rows whose reference leads nowhere, and why."""

from collections.abc import Sequence

from worker.core.orphans import Tally
from worker.core.reference import People, Reference
from worker.store.connection import Connection
from worker.store.statements import statement


async def selection(connection: Connection, reference: Reference, people: Sequence[People]) -> str:
    """Return the query that finds the orphans of a reference: table_oid, row_ctid, key (text), reason.

    Reasons: healable, not_eligible, erased, gone, unknown, mismatched, malformed. ``people``: of each source whose profiles are
    referred to. Without any only unknown and malformed are told apart.
    """
    return await _selection(connection, reference, people, per_key=False)


async def tally(
    connection: Connection, reference: Reference, people: Sequence[People], *, seen_column: str | None = None, sample: int = 0
) -> list[Tally]:
    """Count the orphans of a reference by reason, and read its table once for it.

    ``seen_column`` says when a row was made; up to ``sample`` keys of each reason come along.
    """
    by_key = await _selection(connection, reference, people, per_key=True, seen_column=seen_column)
    query = await connection.fetchval(statement("orphans/tally"), by_key, sample)
    return [Tally(**{**dict(row), "sample": tuple(row["sample"])}) for row in await connection.fetch(query)]


async def lent_tally(connection: Connection, reference: Reference) -> list[Tally]:
    """Count the orphans of a declared reference by reason, with the rights of whoever installed pgmend."""
    rows = await connection.fetch(statement("orphans/lent_tally"), reference.referencing_table, reference.constraint_name)
    return [Tally(**dict(row), first_seen=None, last_seen=None, last_hour=0, last_day=0) for row in rows]


async def size(connection: Connection, table: str) -> int:
    """Return how many rows a table has, counted."""
    query = await connection.fetchval(statement("orphans/size"), table)
    return int(await connection.fetchval(query))


async def limit(connection: Connection, *, statement_seconds: float, lock_seconds: float) -> None:
    """Set what holds for one question until its transaction ends; row-level security raises instead of hiding rows."""
    limits = (f"{int(seconds * 1000)}" for seconds in (statement_seconds, lock_seconds))
    await connection.execute(statement("orphans/limit"), *limits)


async def lock(connection: Connection) -> None:
    """Let nobody else write down what orphans there are, until the transaction ends."""
    await connection.execute(statement("orphans/lock"))


async def _selection(
    connection: Connection, reference: Reference, people: Sequence[People], *, per_key: bool, seen_column: str | None = None
) -> str:
    mine = reference.people_of(people)
    text: str = await connection.fetchval(
        statement("orphans/selection"),
        reference.referencing_table,
        reference.referencing_columns,
        reference.referenced_table,
        reference.referenced_columns,
        [one.users_table for one in mine],
        [one.users_key for one in mine],
        reference.column_of(mine[0]) if mine else None,
        [one.eligible_when for one in mine],
        [one.erased_when for one in mine],
        any(one.is_audited for one in mine),
        per_key,
        seen_column,
    )
    return text
