"""What ``pgmend diagnose`` and ``pgmend verify`` have in common: the options that say what is looked at, and the look."""

import argparse
import re
from dataclasses import replace

from worker import settings
from worker.commands.numbers import seconds
from worker.core.diagnosis import Diagnosis
from worker.errors import PeopleUnknownError
from worker.store.connection import close, connect
from worker.survey import Named, Survey, Wishes

FOUND_SOMETHING = 3
"""The exit status when something does not hold."""

_ENDS = re.compile(r'((?:[^"=]|"[^"]*")+)=((?:[^"=]|"[^"]*")+)')


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what is looked at."""
    parser.add_argument("--users", metavar="TABLE[.KEY]", help="the users, where no profile source is attached")
    parser.add_argument("--profiles", metavar="TABLE[.KEY]", help="the profiles of these users")
    parser.add_argument("--eligible-when", metavar="SQL", default="true", help="which users are to have a profile")
    parser.add_argument("--erased-when", metavar="SQL", default="false", help="which users are softly deleted")
    parser.add_argument(
        "--reference",
        metavar="TABLE.COLUMN=TABLE.COLUMN",
        type=_reference,
        action="append",
        default=[],
        help="one more reference; may be given several times",
    )
    parser.add_argument(
        "--statement-timeout", metavar="SECONDS", type=seconds, default=300.0, help="how long one question may take"
    )


async def survey(options: argparse.Namespace, *, application_name: str, sample: int = 0) -> Diagnosis:
    """Look at what the options name."""
    wishes = Wishes(_named(options), tuple(options.reference), sample, options.statement_timeout)
    target = replace(
        settings.load().target,
        application_name=application_name,
        statement_timeout=wishes.statement_seconds,
        prepared_statements=False,
    )
    connection = await connect(target)
    try:
        return await Survey(connection, wishes).run()
    finally:
        await close(connection)


def _named(options: argparse.Namespace) -> Named | None:
    given = (options.users, options.profiles)
    if given == (None, None):
        if (options.eligible_when, options.erased_when) != ("true", "false"):
            raise PeopleUnknownError("a condition is about named users", hint="say --users and --profiles as well")
        return None
    if None in given:
        raise PeopleUnknownError("users and profiles are named together", hint="say --users and --profiles")
    return Named(*given, options.eligible_when, options.erased_when)


def _reference(text: str) -> tuple[str, str]:
    ends = _ENDS.fullmatch(text)
    if ends is None:
        raise argparse.ArgumentTypeError(f"{text} is not of the form orders.user_id=profiles.id")
    return ends[1].strip(), ends[2].strip()
