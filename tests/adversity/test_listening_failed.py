"""Errors of the database on the listener's connection that may pass by themselves, and are no lost connection."""

import asyncio
import json
from io import StringIO

from tests.support.database import Database
from tests.support.waiting import eventually
from worker.core.meters import Meters
from worker.log import Log
from worker.runtime.listener import Heartbeat, Listener
from worker.runtime.stopping import Stop
from worker.store.connection import Connection, Target
from worker.store.workers import Identity

UNLUCKY = """
    create function public.collide() returns trigger language plpgsql as
    $$ begin raise exception 'in the way' using errcode = 'serialization_failure'; end $$;
    create trigger collide before insert or update on pgmend.workers for each row execute function public.collide()
"""


async def test_error_that_may_pass_has_a_name_of_its_own_and_is_counted(
    database: Database, connection: Connection, log: Log, log_lines: StringIO
) -> None:
    """The heartbeat meets it; the listener says what it was, listens anew, and counts no lost connection."""
    await connection.execute(UNLUCKY)
    stop, meters, target = Stop(), Meters(), Target(database.url)
    identity = Identity("unlucky", "h", 1, "0")
    listener = Listener(target, target, [], stop, log, Heartbeat(interval=0.1), identity, meters)
    listening = asyncio.ensure_future(listener.run())

    await eventually(lambda: _is_counted(meters))
    await connection.execute("drop trigger collide on pgmend.workers")
    await eventually(lambda: _is_seen(connection))
    stop.request()
    await listening

    said = [line for line in map(json.loads, log_lines.getvalue().splitlines()) if line["level"] == "warning"]
    assert (said[0]["event"], said[0]["sqlstate"], said[0]["reason"]) == ("listening_failed", "40001", "in the way")
    assert sum(meters.connections_lost.values.values()) == 0


async def _is_counted(meters: Meters) -> bool:
    return meters.errors.values["40",] > 0


async def _is_seen(connection: Connection) -> bool:
    return bool(await connection.fetchval("select exists (select from pgmend.workers where listening)"))
