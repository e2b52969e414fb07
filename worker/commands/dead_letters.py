"""``pgmend dead-letters``: what was set aside for a person, and what that person does with it."""

import argparse
import asyncio
from dataclasses import asdict, replace

from worker import settings
from worker.commands import Commands
from worker.commands.letters_act import discard, requeue
from worker.commands.letters_view import letter_lines, row
from worker.commands.numbers import event_id, positive
from worker.commands.opening import as_json, opened
from worker.commands.paging import Listing, print_page
from worker.commands.saying import say
from worker.core.dead_letter import LetterFilter
from worker.core.decision import LETTER_VERDICTS
from worker.errors import NoSuchEventError
from worker.settings import Settings
from worker.store import dead_letters

EXAMPLES = """\
examples:
  pgmend dead-letters list --verdict needs_recipe
  pgmend dead-letters show 42                     why, and what would help
  pgmend dead-letters requeue 42 --dry-run        try it as its writer, undo it, and name the next obstacle
  pgmend dead-letters requeue --constraint profiles_name_is_short
  pgmend dead-letters discard --verdict unknown_user --yes > discarded.jsonl
A discarded row is gone. A discarded sign-up comes back with the next sweep while its user is eligible and has no profile:
leave the letter where it lies, or let eligible_when exclude the user.
"""
_DISCARD = "let go what cannot, printed as JSON; a sign-up comes back while its user is eligible and has no profile"
HEADINGS = ("event", "verdict", "kind", "user", "table", "constraint", "sqlstate", "dead since (UTC)", "message")


def add_parsers(commands: Commands) -> None:
    """Add ``dead-letters`` with its actions."""
    parser = commands.add_parser(
        "dead-letters",
        help="what was set aside for a person: list, show, requeue, discard",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    more = {"epilog": EXAMPLES, "formatter_class": parser.formatter_class}
    listing = actions.add_parser("list", help="dead letters, newest event first", **more)  # type: ignore[arg-type]
    _add_selection(listing)
    listing.add_argument("--before", type=event_id, metavar="EVENT", help="only older ones than this, to turn the page")
    listing.add_argument("--limit", type=positive, default=50, metavar="N", help="at most so many (50)")
    listing.set_defaults(run=lambda options: asyncio.run(_list(options, settings.load())))
    show = actions.add_parser("show", help="one dead letter, with the hint", **more)  # type: ignore[arg-type]
    show.add_argument("event", type=event_id, metavar="EVENT", help="the event's id")
    show.add_argument("--payload", action="store_true", help="print the captured row as well, which is personal")
    show.set_defaults(run=lambda options: asyncio.run(_show(options, settings.load())))
    back = actions.add_parser("requeue", help="send back what can be mended now", **more)  # type: ignore[arg-type]
    away = actions.add_parser("discard", help=_DISCARD, **more)  # type: ignore[arg-type]
    for acting in (back, away):
        acting.add_argument("event", type=event_id, nargs="*", metavar="EVENT", help="the events' ids")
        _add_selection(acting)
        acting.add_argument("--all", action="store_true", help="every dead letter")
        acting.set_defaults(usage_error=acting.error)
    back.add_argument("--dry-run", action="store_true", help="handle each as the worker would, undo it, name the next obstacle")
    back.set_defaults(run=lambda options: asyncio.run(requeue(options, settings.load())))
    away.add_argument("--dry-run", action="store_true", help="only say what would go")
    away.add_argument("--yes", action="store_true", help="do not ask; needed for more than one, and without a terminal")
    away.set_defaults(run=lambda options: asyncio.run(discard(options, settings.load())))
    for answering in (listing, show, back):
        answering.add_argument("--json", action="store_true", help="as JSON")


def _add_selection(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--verdict", choices=LETTER_VERDICTS, help="of this verdict")
    parser.add_argument("--constraint", help="that this constraint has refused")
    parser.add_argument("--user", metavar="KEY", help="of this user")


async def _list(options: argparse.Namespace, effective: Settings) -> int:
    wanted = LetterFilter((), options.verdict, options.constraint, options.user, options.before)
    async with opened(effective, "dead-letters") as connection:
        found = await dead_letters.listed(connection, wanted, limit=options.limit + 1)
    listing = Listing("dead_letters", HEADINGS, row, nothing="no dead letter fits")
    print_page(listing, found, limit=options.limit, as_object=options.json)
    return 0


async def _show(options: argparse.Namespace, effective: Settings) -> int:
    async with opened(effective, "dead-letters") as connection:
        letter = await dead_letters.one(connection, options.event)
    if letter is None:
        raise NoSuchEventError(
            f"event {options.event} is no dead letter", hint=f"pgmend events show {options.event} tells its story"
        )
    shown = letter if options.payload else replace(letter, payload=None)
    if options.json:
        print(as_json(asdict(shown)))
    else:
        say(letter_lines(shown, with_payload=options.payload))
    return 0
