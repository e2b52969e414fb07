"""``pgmend pause`` and ``pgmend resume``: a person stops a profile source, or has looked and lets it go on."""

import argparse
import asyncio
from collections.abc import AsyncIterator, Callable

from worker import settings
from worker.commands import Commands
from worker.commands.saying import say
from worker.core.wording import counted
from worker.errors import NoSuchSourceError
from worker.store import migrations, pauses
from worker.store.connection import Connection, Target, close, connect

Change = Callable[[Connection], AsyncIterator[str]]
"""Does something to sources; yields what was done, a line each, once it is."""

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
    resume = commands.add_parser(
        "resume",
        help="let a paused source go on, what is missing now is made; what waits for its next attempt is due at once",
        **_OF_BOTH,
    )
    resume.set_defaults(run=_resume)
    for parser in (pause, resume):
        parser.add_argument("--source", type=int, metavar="ID", help="one profile source; without it all of them")


def _pause(options: argparse.Namespace) -> int:
    async def stop(connection: Connection) -> AsyncIterator[str]:
        for source_id, users_table in (await pauses.pause(connection, options.source, reason=options.reason)).items():
            yield f"paused source {source_id} ({users_table})"

    return asyncio.run(_change(settings.load().target, options.source, stop, otherwise="no source had to be paused"))


def _resume(options: argparse.Namespace) -> int:
    async def go_on(connection: Connection) -> AsyncIterator[str]:
        for source_id, users_table in (await pauses.resume(connection, options.source)).items():
            yield f"resumed source {source_id} ({users_table})"
        for source_id, events in (await pauses.make_due(connection, options.source)).items():
            yield f"{counted(events, 'waiting event')} of source {source_id} due now"

    otherwise = "no source had to be resumed, and no event waits for its next attempt"
    return asyncio.run(_change(settings.load().target, options.source, go_on, otherwise=otherwise))


async def _change(target: Target, source_id: int | None, change: Change, *, otherwise: str) -> int:
    connection = await connect(target)
    try:
        await migrations.require_current(connection)
        if source_id is not None and not await pauses.exists(connection, source_id):
            raise NoSuchSourceError(
                f"there is no profile source {source_id}", hint="select source_id, users_table from pgmend.profile_sources"
            )
        is_done = False
        async for line in change(connection):
            say([line])
            is_done = True
    finally:
        await close(connection)
    if not is_done:
        print(f"nothing to do: {otherwise}")
    return 0
