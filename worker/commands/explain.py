"""``pgmend explain``: one user, source by source: what is whole, what is missing, why, and what would happen."""

import argparse
import asyncio
from collections.abc import Iterator
from dataclasses import asdict

from worker import settings
from worker.commands import Commands
from worker.commands.letters_view import obstacle_lines
from worker.commands.opening import as_json, opened
from worker.commands.saying import say
from worker.core.explanation import Explanation
from worker.core.raised import named
from worker.explaining import Explaining
from worker.settings import Settings

FOUND_SOMETHING = 3
"""The exit status when something is missing."""

EXAMPLES = """\
examples:
  pgmend explain 5f1c2f0e-…          facts, events, dead letters, and the recipe tried and undone
  pgmend explain 5f1c2f0e-… --json
"""


def add_parsers(commands: Commands) -> None:
    """Add ``explain``."""
    parser = commands.add_parser(
        "explain",
        help="say of one user what is whole, what is missing, why, and what would happen",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("user", metavar="USER", help="the key in the users table")
    parser.add_argument("--json", action="store_true", help="as one JSON object")
    parser.set_defaults(run=lambda options: asyncio.run(_explain(options, settings.load())))


async def _explain(options: argparse.Namespace, effective: Settings) -> int:
    async with opened(effective, "explain") as connection:
        explaining = Explaining(connection, effective.retry_policy, effective.lock_timeout_seconds)
        found = await explaining.explain(options.user)
    if options.json:
        print(as_json({"user": options.user, "sources": [_as_object(it) for it in found]}))
    else:
        say(line for it in found for line in lines(it))
    return 0 if all(it.is_whole for it in found) else FOUND_SOMETHING


def lines(it: Explanation) -> Iterator[str]:
    """Yield what is known of the user in one source."""
    yield f"source {it.source_id}: {it.users_table} -> {it.profiles_table}"
    yield f"  {it.verdict}: {it.evidence}"
    for event in it.pending:
        failure = f", last failure {event.last_failure.sqlstate}" if event.last_failure else ""
        table = f" for {event.referencing_table}" if event.referencing_table else ""
        yield f"  event {event.event_id}: {event.kind}{table}, {event.state}, {event.attempts} attempts{failure}"
    for letter in it.letters:
        yield f"  dead letter {letter.event_id}: {letter.kind}, {letter.verdict}, {letter.sqlstate}: {letter.hint}"
    for said in it.prospects():
        yield f"  -> {said}"
    if it.rehearsal:
        yield f"  the recipe, tried and undone: {it.rehearsal.said}"
        yield from (f"    {line}" for line in obstacle_lines(it.rehearsal))
    if it.triggers is not None:
        yield f"  triggers that may raise it: {named(it.triggers)}"


def _as_object(it: Explanation) -> dict[str, object]:
    return asdict(it) | {
        "verdict": it.verdict,
        "evidence": it.evidence,
        "prospects": list(it.prospects()),
        "is_whole": it.is_whole,
    }
