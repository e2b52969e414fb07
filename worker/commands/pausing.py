"""``pgmend pause`` and ``pgmend resume``: a person stops a profile source, or has looked and lets it go on."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable

from worker import settings
from worker.commands import Commands
from worker.errors import NoSuchSourceError
from worker.store import migrations, pauses
from worker.store.connection import Connection, Target, close, connect

Change = Callable[[Connection], Awaitable[dict[int, str]]]

EXAMPLES = """\
examples:
  pgmend pause --source 1 --reason 'the profiles are being restored'
  pgmend resume --source 1
While a source is paused, an insert under a guard of mode ensure heals nobody: without its profile it fails with 23503.
"""
_OF_BOTH = {"epilog": EXAMPLES, "formatter_class": argparse.RawDescriptionHelpFormatter}


def add_parsers(commands: Commands) -> None:
    """Add ``pause`` and ``resume``."""
    pause = commands.add_parser("pause", help="make no profile and replay nothing until resumed; captures go on", **_OF_BOTH)
    pause.add_argument("--reason", required=True, help="why, for whoever comes next")
    pause.set_defaults(run=_pause)
    resume = commands.add_parser("resume", help="let a paused source go on; what is missing now is made", **_OF_BOTH)
    resume.set_defaults(run=_resume)
    for parser in (pause, resume):
        parser.add_argument("--source", type=int, metavar="ID", help="one profile source; without it all of them")


def _pause(options: argparse.Namespace) -> int:
    async def stop(connection: Connection) -> dict[int, str]:
        return await pauses.pause(connection, options.source, reason=options.reason)

    return asyncio.run(_change(settings.load().target, options.source, stop, done="paused"))


def _resume(options: argparse.Namespace) -> int:
    async def go_on(connection: Connection) -> dict[int, str]:
        return await pauses.resume(connection, options.source)

    return asyncio.run(_change(settings.load().target, options.source, go_on, done="resumed"))


async def _change(target: Target, source_id: int | None, change: Change, *, done: str) -> int:
    connection = await connect(target)
    try:
        await migrations.require_current(connection)
        if source_id is not None and not await pauses.exists(connection, source_id):
            raise NoSuchSourceError(
                f"there is no profile source {source_id}", hint="select source_id, users_table from pgmend.profile_sources"
            )
        changed = await change(connection)
    finally:
        await close(connection)
    for changed_id, users_table in changed.items():
        print(f"{done} source {changed_id} ({users_table})")
    if not changed:
        print(f"nothing to do: no source had to be {done}")
    return 0
