"""``pgmend events``: what waits in the outbox, and one event's story."""

import argparse
import asyncio
from dataclasses import asdict, replace

from worker import settings
from worker.commands import Commands
from worker.commands.numbers import event_id, positive
from worker.commands.opening import as_json, opened
from worker.commands.paging import Listing, print_page
from worker.commands.saying import brief, say
from worker.commands.story_view import lines, payload_lines
from worker.core.pending_event import EVENT_STATES, EventFilter, PendingEvent
from worker.core.story import Story
from worker.errors import NameUnknownError, NoSuchEventError
from worker.settings import Settings
from worker.store import events, stories

EXAMPLES = """\
examples:
  pgmend events list                                 the newest events
  pgmend events list --user 5f1c… --kind insert_failed
  pgmend events list --state waiting --table orders
  pgmend events show 42                              from capture to acknowledgement, also after it is gone
  pgmend events show 42 --payload                    with the captured row, which is personal
"""
_HEADINGS = ("event", "kind", "state", "user", "table", "constraint", "attempts", "due at (UTC)", "last failure", "waits for")


def add_parsers(commands: Commands) -> None:
    """Add ``events list`` and ``events show``."""
    parser = commands.add_parser(
        "events",
        help="what waits in the outbox, and one event's story",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser(
        "list", help="events that wait, newest first", epilog=EXAMPLES, formatter_class=parser.formatter_class
    )
    listing.add_argument("--user", metavar="KEY", help="of this user")
    listing.add_argument("--kind", choices=("user_created", "insert_failed"), help="of this kind")
    listing.add_argument("--table", help="captured from this table, with or without its schema")
    listing.add_argument("--constraint", help="captured on this foreign key")
    listing.add_argument("--state", choices=EVENT_STATES, help="claimable now, later, waiting for something, source paused")
    listing.add_argument("--before", type=event_id, metavar="EVENT", help="only older ones than this, to turn the page")
    listing.add_argument("--limit", type=positive, default=50, metavar="N", help="at most so many (50)")
    listing.add_argument("--json", action="store_true", help="as one JSON object")
    listing.set_defaults(run=lambda options: asyncio.run(_list(options, settings.load())))
    show = actions.add_parser("show", help="one event's story", epilog=EXAMPLES, formatter_class=parser.formatter_class)
    show.add_argument("event", type=event_id, metavar="EVENT", help="the event's id: a receipt, or what the audit names")
    show.add_argument("--payload", action="store_true", help="print the captured row as well, which is personal")
    show.add_argument("--json", action="store_true", help="as one JSON object")
    show.set_defaults(run=lambda options: asyncio.run(_show(options, settings.load())))


async def _list(options: argparse.Namespace, effective: Settings) -> int:
    wanted = EventFilter(options.user, options.kind, options.table, options.constraint, options.state, options.before)
    async with opened(effective, "events") as connection:
        found = await events.listed(connection, wanted, limit=options.limit + 1)
        if not found and options.table and not await events.table_exists(connection, options.table):
            raise NameUnknownError(f"there is no table {options.table}", hint="write it as public.orders, or orders")
    listing = Listing("events", _HEADINGS, _row, nothing="no event waits that fits")
    print_page(listing, found, limit=options.limit, as_object=options.json)
    return 0


def _row(event: PendingEvent) -> tuple[object, ...]:
    waits_for = (
        event.waiting_for and brief(event.waiting_for) if event.waits_for_event is None else f"event {event.waits_for_event}"
    )
    return (
        event.event_id,
        event.kind,
        event.state,
        event.user_key,
        event.referencing_table,
        event.constraint_name,
        event.attempts,
        event.available_at,
        event.last_failure.sqlstate if event.last_failure else None,
        waits_for,
    )


async def _show(options: argparse.Namespace, effective: Settings) -> int:
    async with opened(effective, "events") as connection:
        story = await stories.story(connection, options.event)
    if story.state == "unknown":
        raise NoSuchEventError(f"there is no event {options.event}", hint="pgmend events list shows what waits")
    if options.json:
        print(as_json(asdict(story if options.payload else _without_payload(story))))
        return 0
    say(lines(story))
    present = story.pending or story.letter
    if options.payload and present:
        say(payload_lines(present.payload))
    return 0


def _without_payload(story: Story) -> Story:
    pending = replace(story.pending, payload=None) if story.pending else None
    letter = replace(story.letter, payload=None) if story.letter else None
    return replace(story, pending=pending, letter=letter)
