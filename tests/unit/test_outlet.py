"""The outlet of the log: whoever logs waits for nobody; what is lost is counted, said once, and forgotten when it works again."""

import os
import pty
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest

from tests.support.waiting import eventually
from worker.core.meters import Meters
from worker.core.vitals import Vitals
from worker.outlet import Outlet

LONG = "w" * 1_000_000 + "\n"
"""More than any pipe holds."""


class Clock:
    """Seconds that pass when a test says so."""

    seconds = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.seconds


@pytest.fixture
def pipe() -> Iterator[tuple[int, TextIO]]:
    """A pipe: the end that is read, and a stream that is written to it."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "w", encoding="utf-8") as stream:
        yield reading, stream


async def stuck(outlet: Outlet) -> None:
    """Wait until the thread is at the last line that it was given."""

    async def is_at_the_last() -> bool:
        return outlet._writing_since is not None and outlet._lines.empty()

    await eventually(is_at_the_last)


def test_log_is_well_again_when_it_can_be_written(
    pipe: tuple[int, TextIO], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Each lost line counts, the reason stands as long as it is so, and stderr hears of it once each time."""
    reading, stream = pipe
    vitals, meters = Vitals(), Meters()
    outlet = Outlet(stream, vitals, meters)
    writing, broken, file = stream.fileno(), os.dup(stream.fileno()), os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT)
    os.close(reading)
    reasons = []
    for where in (file, broken, broken, file, broken):
        os.dup2(where, writing)
        outlet.write("a line\n")
        outlet._lines.join()
        reasons.append(vitals.log_failure)
        if vitals.log_failure:
            outlet._telling.join()
    os.close(broken)
    os.close(file)

    assert reasons == ["", "Broken pipe", "Broken pipe", "", "Broken pipe"]
    assert meters.log_lines_lost.values == {(): 3}
    assert (tmp_path / "log").read_text() == "a line\na line\n"
    assert capfd.readouterr().err.count("pgmend: the log cannot be written: Broken pipe -> ") == 2


async def test_reader_that_takes_nothing_costs_lines_and_no_time(
    pipe: tuple[int, TextIO], capfd: pytest.CaptureFixture[str]
) -> None:
    """Lines that find no room are lost and counted; when it reads again, what it finds are whole lines, in order."""
    reading, stream = pipe
    clock, meters = Clock(), Meters()
    vitals = Vitals(clock)
    outlet = Outlet(stream, vitals, meters, room=2)
    outlet.write(LONG)
    await stuck(outlet)
    for number in range(4):
        outlet.write(f"{number}\n")
    slow = vitals.log_failure
    clock.seconds = 2.0
    outlet.write("lost\n")
    hangs = vitals.log_failure
    with os.fdopen(reading, encoding="utf-8") as lines:
        read = [lines.readline() for _ in range(3)]
    outlet._lines.join()

    assert (slow, hangs, vitals.log_failure) == ("", "its reader takes nothing", "")
    assert read == [LONG, "0\n", "1\n"]
    assert meters.log_lines_lost.values == {(): 3}
    outlet.finish()
    assert capfd.readouterr().err.count("pgmend: the log cannot be written: its reader takes nothing -> ") == 1


async def test_reader_that_hangs_is_named_before_anything_is_lost(pipe: tuple[int, TextIO]) -> None:
    """Lines wait for it, and the probe says so."""
    clock, meters = Clock(), Meters()
    vitals = Vitals(clock)
    outlet = Outlet(pipe[1], vitals, meters)
    outlet.write(LONG)
    await stuck(outlet)
    clock.seconds = 2.0
    outlet.write("waits\n")

    assert vitals.log_failure == "its reader takes nothing"
    assert not meters.log_lines_lost.values[()]
    os.close(pipe[0])
    outlet._lines.join()


def test_terminal_that_nobody_reads_holds_nobody_up() -> None:
    """It takes less than it promises; neither a line nor the end waits for it."""
    master, terminal = pty.openpty()
    with os.fdopen(terminal, "w", encoding="utf-8") as stream:
        meters = Meters()
        outlet = Outlet(stream, Vitals(), meters, room=10)
        for _ in range(1000):
            outlet.write("w" * 200 + "\n")
        outlet.finish(seconds=0)
        lost = meters.log_lines_lost.values[()]
        os.close(master)
        outlet._lines.join()

    assert lost > 0


def test_pipe_that_is_set_not_to_block_is_waited_for(pipe: tuple[int, TextIO]) -> None:
    """Somebody else who has the same pipe may have done so."""
    reading, stream = pipe
    os.set_blocking(stream.fileno(), False)
    vitals = Vitals()
    outlet = Outlet(stream, vitals, Meters())
    outlet.write(LONG)
    with os.fdopen(reading, encoding="utf-8") as lines:
        read = lines.readline()
        outlet._lines.join()

    assert (read, vitals.log_failure) == (LONG, "")


def test_what_was_written_last_is_there_at_the_end(tmp_path: Path) -> None:
    """The end waits for the thread; what the stream cannot encode is written as escapes."""
    with (tmp_path / "log").open("w", encoding="latin-1") as stream:
        outlet = Outlet(stream, Vitals(), Meters())
        for name in ("Łukasz", "Zoë"):
            outlet.write(f"{name}\n")
        outlet.finish()

    assert (tmp_path / "log").read_text(encoding="latin-1") == "\\u0141ukasz\nZoë\n"
