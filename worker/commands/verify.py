"""``pgmend verify``: no orphans, every key there and validated, every user a profile; for CI and as a daily run."""

import argparse
import asyncio
import json
from dataclasses import asdict

from worker.commands import Commands
from worker.commands.saying import say
from worker.commands.surveying import FOUND_SOMETHING, add_options, survey
from worker.commands.verify_view import lines
from worker.core.verification import Check, checks

EXAMPLES = """\
examples:
  pgmend verify
  pgmend verify --quiet                            prints what does not hold, and nothing when all does
  pgmend verify --users users --profiles profiles --strict
"""


def add_parsers(commands: Commands) -> None:
    """Add ``verify``."""
    parser = commands.add_parser(
        "verify",
        help="check that no orphans are left, and that keys keep it so",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_options(parser)
    parser.add_argument("--strict", action="store_true", help="a key without an index fails, too")
    parser.add_argument("--quiet", action="store_true", help="print only what does not hold")
    parser.add_argument("--json", action="store_true", help="as one JSON object")
    parser.set_defaults(run=_verify)


def _verify(options: argparse.Namespace) -> int:
    found = checks(asyncio.run(survey(options, application_name="pgmend verify")), strict=options.strict)
    is_clean = all(check.is_passed for check in found)
    if options.json:
        print(json.dumps({"holds": is_clean, "checks": [asdict(check) for check in _shown(found, quiet=options.quiet)]}))
    else:
        say(lines(_shown(found, quiet=options.quiet)))
    return 0 if is_clean else FOUND_SOMETHING


def _shown(found: tuple[Check, ...], *, quiet: bool) -> list[Check]:
    return [check for check in found if not (quiet and check.state == "holds")]
