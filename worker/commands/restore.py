"""``pgmend restore``: what a repair has taken away or changed goes back to what it was."""

import argparse
import asyncio
import json
import sys
from dataclasses import asdict

from worker import settings
from worker.commands import Commands
from worker.commands.desk import Desk, desk
from worker.commands.numbers import not_negative, positive
from worker.commands.saying import say
from worker.core.wording import counted
from worker.errors import NameUnknownError, RepairRefusedError, RestoreRefusedError
from worker.restoring import Report, Restore
from worker.settings import Settings
from worker.store import quarantine
from worker.store.quarantine import Wanted

_SHOWN = 20

EXAMPLES = """\
examples:
  pgmend restore 1                                                  the whole repair
  pgmend restore 1 --key 5f1c2f0e-… --table public.orders           of one key, in one table
"""


def add_parsers(commands: Commands) -> None:
    """Add ``restore``."""
    parser = commands.add_parser(
        "restore",
        help="bring back what a repair took away or changed, as far as nothing stands against it",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("repair", type=int, metavar="RUN", help="the number of the repair")
    parser.add_argument("--key", help="only what was taken because of this key")
    parser.add_argument("--table", help="only rows of this table")
    parser.add_argument(
        "--pause-milliseconds", type=not_negative, help="between two batches; without it a twentieth of what a batch took"
    )
    parser.add_argument("--lock-timeout-milliseconds", type=positive, default=500, help="the longest wait for a lock (500)")
    parser.add_argument("--json", action="store_true", help="as one JSON object")
    parser.set_defaults(run=_restore)


def _restore(options: argparse.Namespace) -> int:
    return asyncio.run(_run(options, settings.load()))


async def _run(options: argparse.Namespace, effective: Settings) -> int:
    async with desk(options, effective) as at:
        held = await quarantine.held(at.connection, options.repair)
        if held is None:
            raise NameUnknownError(
                f"there is no repair {options.repair}", hint="select repair_id, started_at from pgmend.repairs"
            )
        if options.table and options.full_table is None:
            raise NameUnknownError(
                f"there is no table {options.table}", hint="write it as select table_name from pgmend.quarantine has it"
            )
        wanted = Wanted(options.repair, options.key, options.full_table if options.table else None)
        await _require_any(at, wanted)
        restored, refused = await Restore(at.connection, wanted, at.search_path, at.pacing, _progress(at)).run()
        await _answer(at, wanted, restored, refused)
    return 0


async def _require_any(at: Desk, wanted: Wanted) -> None:
    """Refuse a key or a table of which the repair has never taken a row: it is mistyped."""
    if (wanted.key is not None or wanted.table is not None) and not await quarantine.took(at.connection, wanted):
        of = " ".join(f"{what} {name}" for what, name in (("key", wanted.key), ("table", wanted.table)) if name is not None)
        hint = "the columns table_name and old_key of pgmend.quarantine say what it has taken"
        raise RepairRefusedError(f"repair {wanted.repair_id} has taken no row of {of}", hint=hint)


async def _answer(at: Desk, wanted: Wanted, restored: int, refused: int) -> None:
    refusals = await quarantine.refusals(at.connection, wanted.repair_id, most=_SHOWN) if refused else []
    if at.as_json:
        print(json.dumps({"restored": restored, "refused": refused, "refusals": [asdict(refusal) for refusal in refusals]}))
    else:
        left = await quarantine.held(at.connection, wanted.repair_id)
        print(f"{counted(restored, 'row')} restored, {left:,} left in the quarantine")
        say(f"refused: {refusal.table_name} {refusal.row_key}: {refusal.sqlstate} {refusal.reason}" for refusal in refusals)
        if refused > len(refusals):
            print(f"and {counted(refused - len(refusals), 'more row')} refused")
    if refused:
        first = refusals[0]
        raise RestoreRefusedError(
            f"{counted(refused, 'row')} {'stays' if refused == 1 else 'stay'} in the quarantine",
            detail=f"{first.table_name} {first.row_key}: {first.sqlstate} {first.constraint_name or first.reason}",
            hint="clear what stands against them, then restore again; select refusal from pgmend.quarantine shows all",
        )


def _progress(at: Desk) -> Report:
    """Return what shows how far the restore is, on a terminal."""
    is_shown = sys.stderr.isatty() and not at.as_json

    def show(restored: int, refused: int) -> None:
        if is_shown:
            sys.stderr.write(f"\r\x1b[K{counted(restored, 'row')} restored, {refused:,} refused")

    return show
