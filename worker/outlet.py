"""The outlet of the log: one that can no longer be written costs its lines and never the work; probes and metrics say so."""

import os
import select
import sys
from contextlib import suppress
from typing import TextIO

from worker.core.meters import Meters
from worker.core.vitals import Vitals

_WHAT_THEN = "the worker goes on without; restart it"
_PIECE = select.PIPE_BUF // 4
"""Characters that are written at once: as bytes no more than what a pipe that says that it has room takes without waiting."""


class StuckError(OSError):
    """Whoever reads the stream takes nothing from it."""


class Outlet:
    """Writes lines to a stream, whoever reads them; a disk that was full is written again when there is room.

    A reader that takes nothing is waited for once, ``patience`` seconds; then lines are lost until it takes something.
    """

    def __init__(self, stream: TextIO, vitals: Vitals, meters: Meters, *, patience: float = 1.0) -> None:
        """Write to a stream of the process' own, and tell these two what becomes of it."""
        self._stream = stream
        self._vitals = vitals
        self._meters = meters
        self._patience = patience
        self._is_torn = False

    def isatty(self) -> bool:
        """Return whether a person reads it on a terminal."""
        return self._stream.isatty()

    def write(self, line: str) -> None:
        """Write a line, or count it as lost. An error from here would be taken for one of whatever was logged."""
        try:
            line.encode(self._stream.encoding or "utf-8")  # or a part of it would be written before that fails
            self._put(line)
        except (OSError, ValueError) as error:  # ValueError: what the stream cannot encode, or a stream that is closed
            self._failed(getattr(error, "strerror", None) or type(error).__name__)
        else:
            self._vitals.log_failure = ""

    def flush(self) -> None:
        """Do nothing: each line was."""

    def finish(self) -> None:
        """Throw away what is still to be flushed where that fails, or it would decide on the exit status."""
        try:
            self._stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())

    def _put(self, line: str) -> None:
        if self._is_torn:
            self._put_piece("\n")
            self._is_torn = False
        for start in range(0, len(line), _PIECE):
            self._put_piece(line[start : start + _PIECE])
            self._is_torn = start + _PIECE < len(line)

    def _put_piece(self, piece: str) -> None:
        if not _takes_more(self._stream, 0.0 if self._vitals.log_failure else self._patience):
            raise StuckError(0, "its reader takes nothing")
        self._stream.write(piece)
        self._stream.flush()

    def _failed(self, reason: str) -> None:
        self._meters.log_lines_lost.add()
        if not self._vitals.log_failure and _takes_more(sys.stderr, 0.0):
            with suppress(OSError):  # unbuffered, as it may be the same pipe
                os.write(sys.stderr.fileno(), f"pgmend: the log cannot be written: {reason} -> {_WHAT_THEN}\n".encode())
        self._vitals.log_failure = reason


def _takes_more(stream: TextIO, seconds: float) -> bool:
    """Return whether a stream can be written without waiting, or at once has an error to tell; wait so long for that."""
    try:
        poll = select.poll()
        poll.register(stream.fileno(), select.POLLOUT)
    except (OSError, ValueError):  # a stream in memory, or one that is closed
        return True
    return bool(poll.poll(seconds * 1000))
