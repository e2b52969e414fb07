"""The command line and composition root: settings -> log -> command; exit codes as in ``errors``."""

import os
import signal
import sys
from collections.abc import Sequence

import asyncpg

from worker.commands.parser import make_parser
from worker.errors import PgmendError
from worker.log import redacted
from worker.store.connection import LOST, explained

BROKEN_PIPE = 141
"""As a shell says of a program that SIGPIPE has ended."""


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


if __name__ == "__main__":
    sys.exit(main())
