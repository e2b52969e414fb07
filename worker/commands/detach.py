"""``pgmend detach``: remove a source and all that belongs to it."""

import argparse
import asyncio
from collections.abc import Iterator

from worker import settings
from worker.commands import Commands
from worker.commands.saying import say
from worker.core.catalog import Catalog, Source
from worker.core.naming import named
from worker.errors import SourceUnclearError
from worker.store import catalog, migrations, sources
from worker.store.connection import Target, close, connect
from worker.store.sources import Events

EXAMPLES = """\
examples:
  pgmend detach --source 1 --dry-run        what would be removed
  pgmend detach --source 1                  refuses while captured rows wait
  pgmend detach --all --discard-events
"""


def add_parsers(commands: Commands) -> None:
    """Add ``detach``."""
    parser = commands.add_parser(
        "detach",
        help="remove triggers, guards, functions and configuration of a source",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--source", metavar="N", type=int, help="the source's number")
    which.add_argument("--all", action="store_true", help="every source")
    parser.add_argument("--users", metavar="TABLE", help="the source of this users table")
    parser.add_argument("--profiles", metavar="TABLE", help="the source of this profiles table")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be removed")
    parser.add_argument("--discard-events", action="store_true", help="even if captured rows are lost with it")
    parser.set_defaults(run=lambda options: asyncio.run(detach(settings.load().target, options)))


async def detach(target: Target, options: argparse.Namespace) -> int:
    """Say what goes, and let it go."""
    connection = await connect(target)
    try:
        await migrations.require_current(connection)
        seen = await catalog.read(connection)
        chosen = _chosen(seen, options)
        lying = await sources.events(connection)
        if not options.dry_run:
            ids = [source.source_id for source in chosen]
            await sources.detach(connection, ids, discard_events=options.discard_events)
    finally:
        await close(connection)
    for source in chosen:
        say(_told(source, seen, lying.get(source.source_id, Events()), options))
    if not chosen:
        print("nothing to do: no source is attached")
    return 0


def _chosen(seen: Catalog, options: argparse.Namespace) -> list[Source]:
    users = named(seen, options.users, "--users").quoted if options.users else None
    profiles = named(seen, options.profiles, "--profiles").quoted if options.profiles else None
    found = [
        source
        for source in seen.sources
        if options.source in {None, source.source_id}
        and users in {None, source.users_table}
        and profiles in {None, source.profiles_table}
    ]
    if options.all or len(found) == 1:
        return found
    attached = ", ".join(f"{source.source_id} ({source.users_table} -> {source.profiles_table})" for source in seen.sources)
    raise SourceUnclearError(
        "several sources are meant" if found else "no such source is attached",
        detail=f"attached: {attached or 'none'}",
        hint="name one, --source N, or say --all",
    )


def _told(source: Source, seen: Catalog, lying: Events, options: argparse.Namespace) -> Iterator[str]:
    verb = "would be" if options.dry_run else "is"
    yield f"source {source.source_id}, {source.users_table} -> {source.profiles_table}, {verb} detached"
    yield f"  the sign-up trigger of {source.users_table} (locked for an instant)"
    for guard in seen.guards:
        if guard.source_id == source.source_id:
            yield f"  the guard of {guard.referencing_table} {guard.constraint_name} ({guard.mode})"
    yield f"  captured rows: {lying.captured_rows}, sign-ups not settled: {lying.sign_ups}"
    if lying.captured_rows and options.dry_run and not options.discard_events:
        yield "  refused while captured rows would be lost: let the worker drain them, or pass --discard-events"
