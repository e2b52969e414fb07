"""The command line of the demo."""

import argparse
import os
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

DESCRIPTION = """\
Play a storm of sign-up races against a real worker on a real Postgres, kill the worker in the middle, and count.
With --orphans: take a database full of orphans from the key that cannot be added to keys that hold, and all the way back.
A private Postgres is started for it. Where PGMEND_DATABASE_URL is set, a database of its own is made on that server instead."""

EPILOG = """\
exit codes: 0 every invariant holds, 1 one does not, 2 usage, 3 could not be played, 130 interrupted"""

KEEP = """\
stay at the end and print the database's address until Ctrl-C; on an existing server the database is not dropped even then"""

ROWS = """\
with --orphans: rows in all tables together, about (500000)"""

USERS, MOST_USERS = 3000, 1_000_000
WORKERS, MOST_WORKERS = 2, 16
ROWS_IN_ALL, FEWEST_ROWS, MOST_ROWS = 500_000, 2000, 20_000_000


@dataclass(frozen=True, slots=True)
class Options:
    """How it is played. ``database_url`` is None for a private server; ``rows`` are those of the orphans' story."""

    users: int
    workers: int
    seed: int
    json: bool
    keep: bool
    explain: bool
    database_url: str | None
    orphans: bool = False
    rows: int = ROWS_IN_ALL


def parse(arguments: Sequence[str] | None) -> Options:
    """Read the command line; argparse ends the process where it is wrong."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.orphans and (given.users or given.workers):
        parser.error("--users and --workers are for the storm; --orphans has --rows")
    if given.rows and not given.orphans:
        parser.error("--rows is for --orphans; the storm has --users")
    seed = random.SystemRandom().randrange(10_000) if given.seed is None else given.seed
    return Options(
        users=given.users or USERS,
        workers=given.workers or WORKERS,
        seed=seed,
        json=given.json,
        keep=given.keep,
        explain=given.explain,
        database_url=os.environ.get("PGMEND_DATABASE_URL") or None,
        orphans=given.orphans,
        rows=given.rows or ROWS_IN_ALL,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./run demo",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--users", type=_number(1, MOST_USERS), metavar="N", help=f"sign-ups in the storm ({USERS})")
    add("--workers", type=_number(1, MOST_WORKERS), metavar="N", help=f"worker processes side by side ({WORKERS})")
    add("--orphans", action="store_true", help="play what already went wrong in place of the storm")
    add("--rows", type=_number(FEWEST_ROWS, MOST_ROWS), metavar="N", help=ROWS)
    add("--seed", type=int, metavar="N", help="of the random choices, to play the same again")
    add("--json", action="store_true", help="make the last line of stdout one JSON object with all figures")
    add("--keep", action="store_true", help=KEEP)
    add("--explain", action="store_true", help="only print the invariants and the SQL that checks them")
    return parser


def _number(least: int, most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text} is not a number from {least} to {most}")
        return int(text)

    return number
