"""The outlet of the log: lines that cannot be written are counted, said once, and forgotten when it works again."""

import os
from concurrent.futures import ThreadPoolExecutor
from errno import ENOSPC
from io import StringIO
from pathlib import Path

import pytest

from worker.core.meters import Meters
from worker.core.vitals import Vitals
from worker.outlet import Outlet


class Disk(StringIO):
    """A stream to a disk that may be full."""

    is_full = False

    def flush(self) -> None:
        """Fail while it is full."""
        if self.is_full:
            raise OSError(ENOSPC, os.strerror(ENOSPC))


def test_log_is_well_again_when_the_disk_has_room(capfd: pytest.CaptureFixture[str]) -> None:
    """Each lost line counts, the reason stands as long as it is so, and stderr hears of it once each time."""
    vitals, meters, disk = Vitals(), Meters(), Disk()
    outlet = Outlet(disk, vitals, meters)
    reasons = []
    for disk.is_full in (False, True, True, False, True):
        outlet.write("a line\n")
        reasons.append(vitals.log_failure)

    assert reasons == ["", "No space left on device", "No space left on device", "", "No space left on device"]
    assert meters.log_lines_lost.values == {(): 3}
    assert capfd.readouterr().err.count("pgmend: the log cannot be written: No space left on device -> ") == 2


def test_reader_that_takes_nothing_costs_lines_and_no_time(capfd: pytest.CaptureFixture[str]) -> None:
    """Lines that find no room are lost and counted; when it reads again, what it finds are whole lines."""
    reading, writing = os.pipe()
    vitals, meters = Vitals(), Meters()
    with os.fdopen(writing, "w") as stream, os.fdopen(reading, "rb", buffering=0) as pipe:
        outlet = Outlet(stream, vitals, meters, patience=0.01)
        outlet.write("first\n")
        for _ in range(3):
            outlet.write("w" * 100_000 + "\n")
        stuck = vitals.log_failure
        os.set_blocking(reading, False)
        read = pipe.readall()
        outlet.write("last\n")
        read += pipe.readall()

    assert stuck == "its reader takes nothing"
    assert meters.log_lines_lost.values == {(): 3}
    assert vitals.log_failure == ""
    assert read.split(b"\n")[0] == b"first"
    assert read.endswith(b"w\nlast\n")
    assert capfd.readouterr().err.count("pgmend: the log cannot be written: its reader takes nothing -> ") == 1


def test_line_longer_than_the_pipe_is_written_whole_to_whoever_reads() -> None:
    """It goes piece by piece."""
    reading, writing = os.pipe()
    vitals, long = Vitals(), "ü" * 200_000
    with os.fdopen(writing, "w") as stream, os.fdopen(reading, encoding="utf-8") as pipe, ThreadPoolExecutor() as reader:
        read = reader.submit(pipe.readline)
        Outlet(stream, vitals, Meters()).write(f"{long}\n")

    assert read.result() == f"{long}\n"
    assert vitals.log_failure == ""


def test_line_that_the_stream_cannot_encode_is_lost_and_no_more(tmp_path: Path) -> None:
    """A name in another alphabet is no reason to stop."""
    vitals, meters = Vitals(), Meters()
    with (tmp_path / "log").open("w", encoding="latin-1") as stream:
        Outlet(stream, vitals, meters).write("Łukasz\n")

    assert vitals.log_failure == "UnicodeEncodeError"
    assert meters.log_lines_lost.values == {(): 1}


def test_what_cannot_be_flushed_at_the_end_decides_on_no_exit_status() -> None:
    """What others have written to the same stream goes nowhere, where nobody reads it."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as stream:
        stream.write("not flushed")
        os.close(reading)
        Outlet(stream, Vitals(), Meters()).finish()
        stream.write("nor this")

    assert stream.closed
