"""The outlet of the log: a thread writes it, so that a reader that is slow, hangs or has gone costs lines and never the work."""

import os
import select
import sys
from contextlib import suppress
from queue import Full, Queue
from threading import Lock, Thread
from typing import TextIO

from worker.core.meters import Meters
from worker.core.vitals import Vitals

_WHAT_THEN = "the worker goes on without; restart it"
_PATIENCE_SECONDS = 1.0


class Outlet:
    """Leaves lines to a thread of its own, which writes them at once and in order.

    At most ``room`` lines wait for a reader; one that finds no room is lost. The log is called lost when a line could not be
    written, or waits behind one that nobody has taken for a second; it is well again when nothing waits any more.
    """

    def __init__(self, stream: TextIO, vitals: Vitals, meters: Meters, *, room: int = 10_000) -> None:
        """Write to a stream of the process' own, past its buffer, and tell these two what becomes of it."""
        self._stream = stream
        self._vitals = vitals
        self._meters = meters
        self._lines: Queue[bytes | None] = Queue(room)
        self._writing = Thread(target=self._write_all, name="log", daemon=True)
        self._telling = Thread()
        self._lock = Lock()
        self._writing_since: float | None = None
        self._is_torn = False

    def isatty(self) -> bool:
        """Return whether a person reads it on a terminal."""
        return self._stream.isatty()

    def write(self, line: str) -> None:
        """Leave a line to the thread, or count it as lost; this waits for nobody."""
        with self._lock:
            if self._writing.ident is None:
                self._writing.start()
            try:
                self._lines.put_nowait(line.encode(self._stream.encoding, errors="backslashreplace"))
            except Full:
                self._meters.log_lines_lost.add()
            if self._writing_since is not None and self._vitals.now() - self._writing_since > _PATIENCE_SECONDS:
                self._fail("its reader takes nothing")

    def flush(self) -> None:
        """Do nothing: the thread writes at once."""

    def finish(self, seconds: float = 1.0) -> None:
        """Wait for what is still to be written, so many seconds for each step: what nobody takes is lost."""
        if self._writing.ident is not None:
            with suppress(Full):
                self._lines.put(None, timeout=seconds)
            self._writing.join(seconds)
        if self._telling.ident is not None:
            self._telling.join(seconds)

    def _write_all(self) -> None:
        while (line := self._lines.get()) is not None:
            self._writing_since, failure = self._vitals.now(), ""
            try:
                self._put(line)
            except OSError as error:
                failure = error.strerror or type(error).__name__
            with self._lock:
                self._writing_since = None
                if failure:
                    self._meters.log_lines_lost.add()
                    self._fail(failure)
                elif self._lines.empty():
                    self._vitals.log_failure = ""
            self._lines.task_done()

    def _put(self, line: bytes) -> None:
        """Write a line, and first the end of one that was torn off."""
        left = b"\n" + line if self._is_torn else line
        while left:
            try:
                left = left[os.write(self._stream.fileno(), left) :]
            except BlockingIOError:
                select.select([], [self._stream], [])
            else:
                self._is_torn = bool(left)

    def _fail(self, reason: str) -> None:
        if not self._vitals.log_failure and not self._telling.is_alive():
            self._telling = Thread(target=_tell, args=(reason,), daemon=True)  # stderr may be the same pipe
            self._telling.start()
        self._vitals.log_failure = reason


def _tell(reason: str) -> None:
    with suppress(OSError):
        os.write(sys.stderr.fileno(), f"pgmend: the log cannot be written: {reason} -> {_WHAT_THEN}\n".encode())
