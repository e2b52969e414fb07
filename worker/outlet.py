"""The outlet of the log: one that can no longer be written costs its lines and never the work; probes and metrics say so."""

import os
import sys
from contextlib import suppress
from typing import TextIO

from worker.core.meters import Meters
from worker.core.vitals import Vitals

_WHAT_THEN = "the worker goes on without; restart it"


class Outlet:
    """Writes lines to a stream, whoever reads them; a disk that was full is written again when there is room."""

    def __init__(self, stream: TextIO, vitals: Vitals, meters: Meters) -> None:
        """Write to a stream of the process' own, and tell these two what becomes of it."""
        self._stream = stream
        self._vitals = vitals
        self._meters = meters

    def isatty(self) -> bool:
        """Return whether a person reads it on a terminal."""
        return self._stream.isatty()

    def write(self, line: str) -> None:
        """Write a line, or count it as lost. An error from here would be taken for one of whatever was logged."""
        try:
            self._stream.write(line)
            self._stream.flush()
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

    def _failed(self, reason: str) -> None:
        self._meters.log_lines_lost.add()
        if not self._vitals.log_failure:
            with suppress(OSError):  # unbuffered, as it may be the same pipe
                os.write(sys.stderr.fileno(), f"pgmend: the log cannot be written: {reason} -> {_WHAT_THEN}\n".encode())
        self._vitals.log_failure = reason
