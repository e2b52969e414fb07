"""``pgmend config`` and ``pgmend check``: what is set, and whether the worker here is alive."""

import argparse
import asyncio
import json
import socket

from worker import settings
from worker.commands import Commands
from worker.errors import WorkerNotSeenError
from worker.settings import Settings
from worker.store import migrations, workers
from worker.store.connection import close, connect

EXAMPLES = """\
examples:
  pgmend config                 where it connects, as whom, and every other setting; passwords masked
  pgmend check                  is the worker on this machine alive? for a health check
  pgmend check --any-host       is any?
"""
_OF_BOTH = {"epilog": EXAMPLES, "formatter_class": argparse.RawDescriptionHelpFormatter}


def add_parsers(commands: Commands) -> None:
    """Add ``config`` and ``check``."""
    config_parser = commands.add_parser("config", help="print the effective settings, secrets masked", **_OF_BOTH)
    config_parser.add_argument("--json", action="store_true", help="as one JSON object")
    config_parser.set_defaults(run=lambda options: config(settings.load(), as_json=options.json))
    check_parser = commands.add_parser("check", help="exit 0 if the database is ready and a worker here is alive", **_OF_BOTH)
    check_parser.add_argument("--any-host", action="store_true", help="accept a worker on another host")
    check_parser.set_defaults(run=_check)


def config(effective: Settings, *, as_json: bool) -> int:
    """Print the effective settings, secrets masked."""
    values = effective.masked()
    if as_json:
        print(json.dumps(values))
        return 0
    for name, value in values.items():
        print(f"PGMEND_{name.upper()}={'' if value is None else value}")
    return 0


def _check(options: argparse.Namespace) -> int:
    return asyncio.run(check(settings.load(), any_host=options.any_host))


async def check(effective: Settings, *, any_host: bool) -> int:
    """Exit with 0 when the database answers, is migrated, and a worker on this host (or any) was seen alive lately."""
    connection = await connect(effective.target)
    try:
        await migrations.require_current(connection)
        host = None if any_host else socket.gethostname()
        last = await workers.last_seen(connection, host)
    finally:
        await close(connection)
    if not last.is_alive:
        where = f" on {host}" if host else ""
        hint = "pgmend run starts one; if it was not told to stop, its log and its exit status say why it did"
        raise WorkerNotSeenError(f"no worker is alive{where}", detail=last.said(), hint=hint)
    print(f"ok: a worker was seen {last.at_work:.1f} s ago")
    return 0
