"""``pgmend status``: how the installation stands, at a glance; ``--watch`` keeps looking."""

import argparse
import asyncio
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict

from worker import settings
from worker.commands import Commands
from worker.commands.numbers import seconds
from worker.commands.opening import as_json, opened
from worker.commands.saying import say
from worker.commands.status_view import line, lines
from worker.core.status import Status
from worker.settings import Settings
from worker.store import status

Show = Callable[[Status], None]

EXAMPLES = """\
examples:
  pgmend status                      how it stands now
  pgmend status --watch              on a terminal: the same, again and again, until Ctrl-C
  pgmend status --watch --json       one JSON object a line, for another program
  pgmend status --json | jq .debt    users without a profile, as the sweep counted them last
"""


def add_parsers(commands: Commands) -> None:
    """Add ``status``."""
    parser = commands.add_parser(
        "status",
        help="coverage, outbox, throughput, workers, dead letters",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--watch", action="store_true", help="look again and again, until Ctrl-C")
    parser.add_argument("--every-seconds", type=seconds, default=2.0, metavar="SECONDS", help="how often --watch looks (2)")
    parser.add_argument("--json", action="store_true", help="as one JSON object")
    parser.set_defaults(run=_status)


def _status(options: argparse.Namespace) -> int:
    try:
        return asyncio.run(_look(options, settings.load()))
    except KeyboardInterrupt:
        if options.watch:
            return 0
        raise


async def _look(options: argparse.Namespace, effective: Settings) -> int:
    async with opened(effective, "status") as connection:
        if not options.watch:
            _print(await status.seen(connection), as_object=options.json)
            return 0
        with _screen(as_object=options.json) as show:
            while True:
                show(await status.seen(connection))
                await asyncio.sleep(options.every_seconds)


def _print(seen: Status, *, as_object: bool) -> None:
    if as_object:
        print(as_json(asdict(seen) | {"debt": seen.debt}), flush=True)
    else:
        say(lines(seen))


def _screen(*, as_object: bool) -> AbstractContextManager[Show]:
    """Return what shows one status after the other: in place on a terminal, where rich is installed, else line by line."""
    if as_object:
        return nullcontext(lambda seen: _print(seen, as_object=True))
    if sys.stdout.isatty():
        try:
            from worker.commands.status_screen import screen  # noqa: PLC0415 - rich is an extra
        except ImportError:
            return nullcontext(_print_line)
        return screen()
    return nullcontext(_print_line)


def _print_line(seen: Status) -> None:
    say([line(seen)])
