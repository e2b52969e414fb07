"""``pgmend prune``: what the worker lets go after a sweep, now and all of it."""

import argparse
import asyncio
from dataclasses import asdict

from worker import settings
from worker.commands import Commands
from worker.commands.numbers import positive
from worker.commands.opening import as_json, opened
from worker.core.retention import Pruned
from worker.pruning import Pruning
from worker.settings import Settings
from worker.store.connection import Connection

_LONGEST_SECONDS = 3600.0
_DRY_ROWS = 10_000

EXAMPLES = """\
examples:
  pgmend prune --dry-run                          how much would go
  pgmend prune                                    let it go, in small transactions
  PGMEND_KEEP_AUDIT_ENTRIES_DAYS=90 pgmend prune  once with another setting
"""


def add_parsers(commands: Commands) -> None:
    """Add ``prune``."""
    parser = commands.add_parser(
        "prune",
        help="let go what was kept long enough, and what is kept of erased users",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--dry-run", action="store_true", help="only say how much, up to ten thousand of each")
    parser.add_argument("--batch-size", type=positive, default=1000, metavar="ROWS", help="rows in one transaction (1000)")
    parser.add_argument("--json", action="store_true", help="as one JSON object")
    parser.set_defaults(run=lambda options: asyncio.run(_prune(options, settings.load())))


async def _prune(options: argparse.Namespace, effective: Settings) -> int:
    async with opened(effective, "prune") as connection:
        if options.dry_run:
            pruned = await _rehearsed(connection, Pruning(effective.keeping, most=_DRY_ROWS, seconds=0))
        else:
            pruned = await Pruning(effective.keeping, most=options.batch_size, seconds=_LONGEST_SECONDS).prune(connection)
    print(as_json(asdict(pruned)) if options.json else _said(pruned, would=options.dry_run))
    return 0


async def _rehearsed(connection: Connection, pruning: Pruning) -> Pruned:
    """Prune one batch of each, and undo it."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        return await pruning.prune(connection)
    finally:
        await transaction.rollback()


def _said(pruned: Pruned, *, would: bool) -> str:
    verb = "would go" if would else "went"
    more = "; there is more" if pruned.is_more else ""
    left = "; another session prunes, and the rest was left to it" if pruned.left_to_another else ""
    return (
        f"{verb}: {pruned.captured_rows:,} captured rows, {pruned.dead_letters:,} dead letters, "
        f"{pruned.audit_entries:,} audit entries, {pruned.erased:,} of erased users{more}{left}"
    )
