"""Where a repair or a restore sits down to work: a session settled for it, and what the options say of how."""

import argparse
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from worker.repair_planning import read_ends
from worker.repair_run import Pacing
from worker.settings import Settings
from worker.store import migrations, repairs
from worker.store.connection import Connection, close, connect

_STATEMENT_SECONDS = 86_400.0
"""A scan of a large table may take long; what locks rows is short by its size."""


@dataclass(frozen=True, slots=True)
class Desk:
    """A settled session, the operator's own search path, how fast to go, and how to answer."""

    connection: Connection
    search_path: str
    pacing: Pacing
    audit: str
    as_json: bool


@asynccontextmanager
async def desk(options: argparse.Namespace, effective: Settings) -> AsyncIterator[Desk]:
    """Yield a session that is settled for a repair or a restore."""
    connection = await connect(replace(effective.target, application_name="pgmend repair", statement_timeout=_STATEMENT_SECONDS))
    try:
        await migrations.require_current(connection)
        own_path = await repairs.own_path(connection)
        options.full_names = {name: await _full_name(connection, name) for name in getattr(options, "reference", ())}
        if getattr(options, "table", None):
            options.full_table = await repairs.qualified(connection, options.table)
        await repairs.settle_session(connection, lock_timeout=options.lock_timeout_milliseconds / 1000)
        pause = None if options.pause_milliseconds is None else options.pause_milliseconds / 1000
        pacing = Pacing(batch_size=getattr(options, "batch_size", None), pause=pause)
        yield Desk(connection, own_path, pacing, getattr(options, "audit", "batch"), options.json)
    finally:
        await close(connection)


async def _full_name(connection: Connection, reference: str) -> str:
    """Return ``orders.user_id=profiles.id`` with the schemas in which the operator's search path finds the tables."""
    sides = []
    for end in read_ends(reference):
        columns = ",".join('"' + column.replace('"', '""') + '"' for column in end.columns)
        sides.append(f"{await repairs.qualified(connection, end.table) or end.table}.{columns}")
    return "=".join(sides)
