"""``pgmend migrate``, ``sql`` and ``uninstall``: what stands in the database."""

import argparse
import asyncio
import sys

from worker import settings
from worker.commands import Commands
from worker.core.rendering import LOCK_TIMEOUT
from worker.settings import Settings
from worker.store import migrations
from worker.store.connection import Target, close, connect

EXAMPLES = """\
examples:
  pgmend migrate --dry-run          what would be applied
  pgmend migrate                    install or upgrade, all of it or nothing
  pgmend sql > pgmend.sql           the same for an SQL editor
  pgmend uninstall                  refuses while captured rows wait
"""
_OF_ALL = {"epilog": EXAMPLES, "formatter_class": argparse.RawDescriptionHelpFormatter}


def add_parsers(commands: Commands) -> None:
    """Add ``migrate``, ``sql`` and ``uninstall``."""
    migrate_parser = commands.add_parser("migrate", help="install or upgrade the schema pgmend, all of it or nothing", **_OF_ALL)
    migrate_parser.add_argument("--status", action="store_true", help="only say which migrations are applied")
    migrate_parser.add_argument("--dry-run", action="store_true", help="only say which migrations would be applied")
    migrate_parser.set_defaults(run=_migrate)
    sql_parser = commands.add_parser("sql", help="print the schema as SQL, to be pasted into an editor", **_OF_ALL)
    sql_parser.set_defaults(run=lambda _options: print_sql())
    uninstall_parser = commands.add_parser("uninstall", help="remove the schema; the audit table stays", **_OF_ALL)
    uninstall_parser.add_argument("--discard-events", action="store_true", help="even if captured rows are lost with it")
    uninstall_parser.set_defaults(run=_uninstall)


def _migrate(options: argparse.Namespace) -> int:
    return asyncio.run(migrate(settings.load(), show_status=options.status, dry_run=options.dry_run))


def _uninstall(options: argparse.Namespace) -> int:
    return asyncio.run(uninstall(settings.load().target, discard_events=options.discard_events))


async def migrate(effective: Settings, *, show_status: bool, dry_run: bool) -> int:
    """Apply what is pending, or say what is."""
    connection = await connect(effective.target)
    try:
        if show_status or dry_run:
            state = await migrations.status(connection)
        else:
            state = await migrations.apply(connection, error_logs_table=effective.error_logs_table)
    finally:
        await close(connection)
    if show_status:
        _print_status(state)
    elif not state.pending:
        print("nothing to do: the database is migrated")
    else:
        for migration in state.pending:
            print(f"{'would apply' if dry_run else 'applied'} {migration.name}")
    return 0


def print_sql() -> int:
    """Print every migration as one transaction, to be pasted into an SQL editor."""
    print(f"begin;\n\nset local lock_timeout = '{LOCK_TIMEOUT}';\n")
    for migration in migrations.all_migrations():
        print(f"-- {migration.path.name}\n{migration.text}")
        print(
            "insert into pgmend.migrations (version, name, sha256)\n"
            f"values ({migration.version}, '{migration.name}', '{migration.sha256}')\n"
            "on conflict (version) do update set name = excluded.name, sha256 = excluded.sha256;\n"
        )
    print("commit;")
    sys.stdout.flush()
    return 0


async def uninstall(target: Target, *, discard_events: bool) -> int:
    """Remove everything but the audit table."""
    connection = await connect(target)
    try:
        was_there = await migrations.uninstall(connection, discard_events=discard_events)
    finally:
        await close(connection)
    print("pgmend is uninstalled; the audit table stays" if was_there else "pgmend is not installed in this database")
    return 0


def _print_status(state: migrations.Status) -> None:
    for migration in state.applied:
        print(f"applied  {migration.name}  {migration.sha256[:12]}")
    for migration in state.pending:
        print(f"pending  {migration.name}  {migration.sha256[:12]}")
