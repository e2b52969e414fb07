"""The command line and composition root: settings -> log -> command; exit codes as in ``errors``."""

import argparse
import sys
from collections.abc import Sequence

import asyncpg

from worker import __version__
from worker.commands import doctor, inspect, pausing, repair, restore, run, schema
from worker.errors import PgmendError
from worker.log import redacted
from worker.store.connection import LOST, explained

EXAMPLES = """\
examples:
  pgmend migrate                 install or upgrade the schema
  pgmend run                     work until SIGTERM
  pgmend doctor                  say what is wrong, and the SQL that mends it
  pgmend repair                  plan what to do with orphans
  pgmend config                  print the effective settings
exit codes: 0 done, 2 usage, 3 the doctor found something, 10-37 refused with a reason (docs/cli.md), 130/143 second signal
"""

COMMANDS = (run, schema, doctor, repair, restore, pausing, inspect)
"""The modules of the commands. Each adds its parsers, and each parser names its function: ``options.run(options)``."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; every refusal is one line on stderr."""
    options = make_parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except (asyncpg.PostgresError, *LOST) as error:
        return _refuse(explained(error))
    except PgmendError as error:
        return _refuse(error)
    except KeyboardInterrupt:
        return 130


def _refuse(error: PgmendError) -> int:
    print(f"pgmend: {redacted(str(error))}", file=sys.stderr)
    return error.exit_code


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="pgmend",
        description="Self-healing references for Postgres. Settings: PGMEND_… in the environment or in .env.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"pgmend {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in COMMANDS:
        module.add_parsers(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
