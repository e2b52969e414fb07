"""The command line and composition root: settings -> log -> command; exit codes as in ``errors``."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence

import asyncpg

from worker import __version__
from worker.commands import attach, constrain, detach, diagnose, doctor, inspect, pausing, repair, restore, run, schema, verify
from worker.errors import PgmendError
from worker.log import redacted
from worker.store.connection import LOST, explained

EXAMPLES = """\
examples:
  pgmend migrate                 install or upgrade the schema
  pgmend attach                  propose how to attach the application, as SQL
  pgmend run                     work until SIGTERM
  pgmend doctor                  say what is wrong, and the SQL that mends it
  pgmend diagnose                count orphans, and say why each is one
  pgmend verify                  check that none are left, and that keys keep it so
  pgmend config                  print the effective settings
exit codes: 0 done, 2 usage, 3 something was found, 10-43 refused with a reason (docs/cli.md), 130/143 second signal
"""

BROKEN_PIPE = 141
"""As a shell says of a program that SIGPIPE has ended."""

COMMANDS = (run, schema, attach, detach, doctor, diagnose, verify, constrain, repair, restore, pausing, inspect)
"""The modules of the commands. Each adds its parsers, and each parser names its function: ``options.run(options)``."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; every refusal is one line on stderr."""
    options = make_parser().parse_args(arguments)
    _be_mortal()
    try:
        status = int(options.run(options))
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output has gone, as `| head` does; what is still to be flushed goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except (asyncpg.PostgresError, *LOST) as error:
        return _refuse(explained(error))
    except PgmendError as error:
        return _refuse(error)
    except KeyboardInterrupt:
        return 130
    else:
        return status


def _be_mortal() -> None:
    """End at SIGTERM as process 1 of a container, too: the kernel hands that one only signals that it handles."""
    if os.getpid() == 1:
        signal.signal(signal.SIGTERM, lambda number, _frame: os._exit(128 + number))


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
