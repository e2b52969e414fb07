"""The command line and composition root: settings -> log -> command; exit codes as in ``errors``."""

import errno
import os
import signal
import sys
from collections.abc import Sequence

import asyncpg

from worker.commands.parser import make_parser
from worker.core.quoting import visible
from worker.errors import PgmendError
from worker.log import redacted
from worker.store.connection import LOST, explained
from worker.streams import settle_streams

BROKEN_PIPE = 141
"""As a shell says of a program that SIGPIPE has ended."""

_UNWRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}
"""What a file answers that takes no more, and no server that is out of reach."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; every refusal is one line on stderr."""
    settle_streams()
    options = make_parser().parse_args(arguments)
    _be_mortal()
    try:
        status = int(options.run(options))
        sys.stdout.flush()
    except BrokenPipeError:
        _drop_output()  # whoever read it has gone, as `| head` does
        return BROKEN_PIPE
    except (asyncpg.PostgresError, *LOST) as error:
        return _refuse(_unwritable(error) or explained(error))
    except PgmendError as error:
        return _refuse(error)
    except KeyboardInterrupt:
        return 130
    else:
        return status


def _unwritable(error: BaseException) -> PgmendError | None:
    if not isinstance(error, OSError) or error.errno not in _UNWRITABLE:
        return None
    _drop_output()
    hint = "free space, or write elsewhere; what the command has changed stands"
    return PgmendError("the output cannot be written", detail=os.strerror(error.errno), hint=hint)


def _drop_output() -> None:
    """Let what is still to be flushed go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _be_mortal() -> None:
    """End at SIGTERM as process 1 of a container, too: the kernel hands that one only signals that it handles."""
    if os.getpid() == 1:
        signal.signal(signal.SIGTERM, lambda number, _frame: os._exit(128 + number))


def _refuse(error: PgmendError) -> int:
    print(f"pgmend: {visible(redacted(str(error)))}", file=sys.stderr)
    return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
