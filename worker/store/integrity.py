"""Integrity as it was counted last: users without a profile by source, orphans by reference. The sweep counts; others read."""

from collections.abc import Collection

from worker.core.diagnosis import Examined
from worker.core.orphan_audit import KeyChange
from worker.core.reference import Reference
from worker.store.connection import Connection
from worker.store.statements import statement


async def count_users(connection: Connection) -> None:
    """Count users, and users without a profile, of each source, and keep the counts. Reads whole tables."""
    await connection.execute(statement("integrity/count_users"))


async def keep_orphans(connection: Connection, examined: Collection[Examined]) -> None:
    """Keep how many orphans each of these references has, of those that could be seen."""
    seen = [it for it in examined if not it.unseen]
    await connection.execute(
        statement("integrity/keep_orphans"),
        [it.name for it in seen],
        [it.reference.referencing_table for it in seen],
        [it.reference.constraint_name for it in seen],
        [it.orphans for it in seen],
    )


async def keep_keys(connection: Connection, references: Collection[Reference]) -> list[KeyChange]:
    """Keep which foreign key holds each reference, forget all others, and return what has changed."""
    await connection.execute(statement("integrity/forget_keys"), [it.name for it in references])
    rows = await connection.fetch(
        statement("integrity/keep_keys"),
        [it.name for it in references],
        [it.referencing_table for it in references],
        [it.constraint_name for it in references],
        [it.is_declared and it.is_validated for it in references],
    )
    return [KeyChange(**dict(row)) for row in rows]


async def forget_orphans(connection: Connection, references: Collection[str]) -> None:
    """Forget what was counted of references that are not among these."""
    await connection.execute(statement("integrity/forget_orphans"), list(references))
