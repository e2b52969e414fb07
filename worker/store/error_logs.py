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
