"""``pgmend config`` and ``pgmend check``: what is set, and whether the worker here is alive."""

import json
import socket

from worker.errors import WorkerNotSeenError
from worker.settings import Settings
from worker.store import migrations, workers
from worker.store.connection import close, connect

_MISSED_HEARTBEATS = 3


def config(settings: Settings, *, as_json: bool) -> int:
    """Print the effective settings, secrets masked."""
    values = settings.masked()
    if as_json:
        print(json.dumps(values))
        return 0
    for name, value in values.items():
        print(f"PGMEND_{name.upper()}={'' if value is None else value}")
    return 0


async def check(settings: Settings, *, any_host: bool) -> int:
    """Exit with 0 when the database answers, is migrated, and a worker on this host (or any) was seen alive lately."""
    connection = await connect(settings.target)
    try:
        await migrations.require_current(connection)
        seconds = await workers.last_seen(connection, None if any_host else socket.gethostname())
    finally:
        await close(connection)
    limit = _MISSED_HEARTBEATS * settings.heartbeat_interval_seconds
    if seconds is None or seconds > limit:
        detail = "never" if seconds is None else f"last {seconds:.0f} s ago, limit {limit:g} s"
        raise WorkerNotSeenError("no worker has been seen alive", detail=detail, hint="look at the log of pgmend run")
    print(f"ok: a worker was seen {seconds:.1f} s ago")
    return 0
