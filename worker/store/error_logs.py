"""The audit table, whatever its name: the view ``pgmend.audit_entries`` leads to it."""

import json
from collections.abc import Iterable
from dataclasses import asdict

from worker.core.audit import AuditEntry
from worker.store.connection import Connection
from worker.store.statements import statement


async def record(connection: Connection, entries: Iterable[AuditEntry]) -> None:
    """Write audit entries in the transaction that is open."""
    await connection.execute(statement("error_logs/record"), json.dumps([asdict(entry) for entry in entries]))


async def known_orphans(connection: Connection, error_type: str, reference: str) -> int | None:
    """Return how many orphans of a reference the audit named last, or None where it never did."""
    known: int | None = await connection.fetchval(statement("error_logs/known_orphans"), error_type, reference)
    return known
