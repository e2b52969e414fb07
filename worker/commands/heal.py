"""``pgmend heal``: make one user's missing profile now, or fill up all that are missing, with progress."""

import argparse
import asyncio
import sys
from dataclasses import asdict

from worker import settings
from worker.backfilling import Backfilling
from worker.commands import Commands
from worker.commands.heal_view import SAID, Progress, result_lines
from worker.commands.numbers import positive
from worker.commands.opening import as_json, opened
from worker.commands.saying import say
from worker.core.status import SourceStatus
from worker.core.wording import counted
from worker.errors import HealingRefusedError, NoSuchSourceError, SourceUnclearError, UnknownUserError
from worker.healing import Healing
from worker.settings import Settings
from worker.store import profiles, sources
from worker.store.connection import Connection

_STATEMENT_SECONDS = 600.0

EXAMPLES = """\
examples:
  pgmend heal 5f1c2f0e-…               make this user's profile now
  pgmend heal 5f1c2f0e-… --dry-run     try it, undo it, and say what the database says
  pgmend heal --all                    fill up every source; Ctrl-C ends it at any moment, a new run goes on
  pgmend heal --all --source 1 --after 5f1c2f0e-…
"""


def add_parsers(commands: Commands) -> None:
    """Add ``heal``."""
    parser = commands.add_parser(
        "heal",
        help="make one user's missing profile now, or all that are missing",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("user", nargs="?", metavar="USER", help="the key in the users table")
    which.add_argument("--all", action="store_true", help="everybody, batch by batch")
    parser.add_argument("--source", type=int, metavar="ID", help="only this profile source")
    parser.add_argument("--after", metavar="KEY", help="with --all: only users after this key, where a run was ended")
    parser.add_argument("--batch-size", type=positive, default=1000, metavar="N", help="users looked at in a transaction (1000)")
    parser.add_argument("--dry-run", action="store_true", help="try it for real, and undo it")
    parser.add_argument("--json", action="store_true", help="as one JSON object; progress goes to stderr")
    parser.set_defaults(run=lambda options: asyncio.run(_heal(options, settings.load())))


async def _heal(options: argparse.Namespace, effective: Settings) -> int:
    async with opened(effective, "heal", statement_seconds=_STATEMENT_SECONDS) as connection:
        chosen = _chosen(await sources.statuses(connection), options)
        if options.all:
            await _require_key(connection, chosen, options.after)
            return await _fill_all(connection, chosen, options)
        healing = Healing(connection, effective.retry_policy, effective.lock_timeout_seconds, options.dry_run)
        states = {source.source_id: await healing.heal(source, options.user) for source in chosen}
        misfits = [await profiles.misfit(connection, source.source_id, options.user) for source in chosen]
    if options.json:
        print(as_json({"user": options.user, "sources": states}))
    else:
        say(
            f"source {source.source_id} ({source.users_table} -> {source.profiles_table}): {SAID[states[source.source_id]]}"
            for source in chosen
        )
    if set(states.values()) == {"unknown_user"}:
        detail = "; ".join(misfit for misfit in misfits if misfit)
        raise UnknownUserError(f"no source knows a user {options.user}", detail=detail, hint="pgmend explain says what is known")
    return 0


def _chosen(attached: list[SourceStatus], options: argparse.Namespace) -> list[SourceStatus]:
    chosen = [source for source in attached if options.source in {None, source.source_id}]
    if not chosen:
        raise NoSuchSourceError("there is no such profile source", hint="pgmend status lists the sources")
    if options.after is not None and len(chosen) > 1:
        raise SourceUnclearError("--after needs one source", hint="say which: --source ID")
    return chosen


async def _require_key(connection: Connection, chosen: list[SourceStatus], after: str | None) -> None:
    misfit = await profiles.misfit(connection, chosen[0].source_id, after) if after is not None else None
    if misfit is not None:
        raise UnknownUserError(f"--after {after} is no user", detail=misfit, hint="give the key where a run was ended")


async def _fill_all(connection: Connection, chosen: list[SourceStatus], options: argparse.Namespace) -> int:
    results = []
    for source in chosen:
        if source.paused_at is not None and options.source is None:
            say([f"source {source.source_id} is paused ({source.paused_because}) and left alone"], stream=sys.stderr)
            continue
        view = Progress(await profiles.users_about(connection, source.source_id))
        filling = Backfilling(connection, options.batch_size, dry_run=options.dry_run, progress=view.show)
        results.append(await filling.fill(source.source_id, after=options.after))
        view.end()
    if options.json:
        print(as_json({"sources": [asdict(it) | {"refused": it.refused} for it in results], "dry_run": options.dry_run}))
    else:
        say(line for result in results for line in result_lines(result, would=options.dry_run))
    refused = sum(result.refused for result in results)
    if refused:
        hint = "pgmend doctor tries the recipe and says what would help; pgmend explain USER says it of one"
        raise HealingRefusedError(f"the database refuses {counted(refused, 'profile')}", hint=hint)
    return 0
