"""Orphans: rows whose reference leads nowhere, and why."""

from worker.core.reference import People, Reference
from worker.store.connection import Connection
from worker.store.statements import statement


async def selection(connection: Connection, reference: Reference, people: People | None) -> str:
    """Return the query that finds the orphans of a reference: table_oid, row_ctid, key (text), reason.

    Reasons: healable, not_eligible, erased, gone, unknown, mismatched, malformed. Without ``people`` only unknown and malformed
    are told apart.
    """
    mine = people if people is not None and reference.column_of(people) is not None else None
    text: str = await connection.fetchval(
        statement("orphans/selection"),
        reference.referencing_table,
        reference.referencing_columns,
        reference.referenced_table,
        reference.referenced_columns,
        mine and mine.users_table,
        mine and mine.users_key,
        mine and reference.column_of(mine),
        mine and mine.eligible_when,
        mine and mine.erased_when,
        mine is not None and mine.is_audited,
    )
    return text
