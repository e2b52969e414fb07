"""Opening a session for one command: named after it, on a database that is migrated."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime

from worker.settings import Settings
from worker.store import migrations
from worker.store.connection import Connection, close, connect


@asynccontextmanager
async def opened(effective: Settings, command: str, *, statement_seconds: float | None = None) -> AsyncIterator[Connection]:
    """Yield a session that prepares no statements, so that a transaction pooler will do, and plans each anew."""
    target = replace(effective.target, application_name=f"pgmend {command}", prepared_statements=False)
    if statement_seconds is not None:
        target = replace(target, statement_timeout=statement_seconds)
    connection = await connect(target)
    try:
        await migrations.require_current(connection)
        yield connection
    finally:
        await close(connection)


def as_json(answer: object) -> str:
    """Return an answer as one line of JSON; times are ISO 8601."""
    return json.dumps(answer, default=_spelled)


def _spelled(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
