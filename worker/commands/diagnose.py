"""``pgmend diagnose``: what already went wrong between users, profiles and whatever refers to them. It changes nothing."""

import argparse
import asyncio
import json

from worker.commands import Commands
from worker.commands.diagnose_json import as_json
from worker.commands.diagnose_view import lines
from worker.commands.saying import say
from worker.commands.surveying import FOUND_SOMETHING, add_options, survey
from worker.core.verification import checks

EXAMPLES = """\
examples:
  pgmend diagnose
  pgmend diagnose --reference tickets.opened_by=profiles.id --sample 10
  pgmend diagnose --users users --profiles profiles --erased-when 'users.deleted_at is not null'
"""


def add_parsers(commands: Commands) -> None:
    """Add ``diagnose``."""
    parser = commands.add_parser(
        "diagnose",
        help="count orphans and say why each is one; changes nothing",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_options(parser)
    parser.add_argument("--sample", metavar="N", type=_count, default=3, help="how many keys of each reason are shown")
    parser.add_argument("--json", action="store_true", help="as one JSON object")
    parser.set_defaults(run=_diagnose)


def _diagnose(options: argparse.Namespace) -> int:
    diagnosis = asyncio.run(survey(options, application_name="pgmend diagnose", sample=options.sample))
    if options.json:
        print(json.dumps(as_json(diagnosis)))
    else:
        say(lines(diagnosis))
    return 0 if all(check.is_passed for check in checks(diagnosis)) else FOUND_SOMETHING


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) > 10_000:  # noqa: PLR2004 - a sample, not an export
        raise argparse.ArgumentTypeError(f"{text} is no number from 0 to 10000")
    return int(text)
