"""The streams of a process: one that was closed before its start goes nowhere, and whatever stderr does not take is lost."""

import os
import sys
from io import BufferedWriter, FileIO, TextIOWrapper
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class _Lossy(FileIO):
    def write(self, data: "ReadableBuffer", /) -> int:
        """Write what can be written. What is said of a command decides on none: it has done what it has done."""
        try:
            return super().write(data)
        except OSError:
            return memoryview(data).nbytes


def settle_streams() -> None:
    """Open what is closed, in the order of the numbers, which the next file or connection would get; let stderr raise nothing."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode, encoding="utf-8", closefd=False))
    lossy = _Lossy(sys.stderr.fileno(), "w", closefd=False)
    sys.stderr = TextIOWrapper(BufferedWriter(lossy), sys.stderr.encoding, errors="backslashreplace", line_buffering=True)
