"""The command line of the demo."""

import argparse
import os
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

DESCRIPTION = """\
Play a storm of sign-up races against a real worker on a real Postgres, kill the worker in the middle, and count.
A private Postgres is started for it. Where PGMEND_DATABASE_URL is set, a database of its own is made on that server instead."""

EPILOG = """\
exit codes: 0 every invariant holds, 1 one does not, 2 usage, 3 could not be played, 130 interrupted"""

KEEP = """\
stay at the end and print the database's address until Ctrl-C; on an existing server the database is not dropped even then"""

MOST_USERS = 1_000_000
MOST_WORKERS = 16


@dataclass(frozen=True, slots=True)
class Options:
    """How it is played. ``database_url`` is None for a private server."""

    users: int
    workers: int
    seed: int
    json: bool
    keep: bool
    explain: bool
    database_url: str | None


def parse(arguments: Sequence[str] | None) -> Options:
    """Read the command line; argparse ends the process where it is wrong."""
    given = _parser().parse_args(arguments)
    seed = random.SystemRandom().randrange(10_000) if given.seed is None else given.seed
    return Options(
        users=given.users,
        workers=given.workers,
        seed=seed,
        json=given.json,
        keep=given.keep,
        explain=given.explain,
        database_url=os.environ.get("PGMEND_DATABASE_URL") or None,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./run demo",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--users", type=_from_one_to(MOST_USERS), default=3000, metavar="N", help="sign-ups in the storm (3000)")
    add("--workers", type=_from_one_to(MOST_WORKERS), default=2, metavar="N", help="worker processes side by side (2)")
    add("--seed", type=int, metavar="N", help="of the random choices, to play the same storm again")
    add("--json", action="store_true", help="make the last line of stdout one JSON object with all figures")
    add("--keep", action="store_true", help=KEEP)
    add("--explain", action="store_true", help="only print the invariants and the SQL that checks them")
    return parser


def _from_one_to(most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isdecimal() or not 1 <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text} is not a number from 1 to {most}")
        return int(text)

    return number
