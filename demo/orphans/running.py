"""The command pgmend as a process of its own, shown while it runs."""

import asyncio
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from demo.command import PGMEND, ending_with_us, environment
from demo.orphans.narrator import Narrator
from demo.orphans.ran import Ran

Keep = Callable[[str], bool]


@dataclass(slots=True)
class Pgmend:
    """Runs the command on one database and shows it. ``folder`` holds the files it is given, and no .env that it could read."""

    url: str
    folder: Path
    narrator: Narrator
    ran: list[Ran] = field(default_factory=list)

    async def run(self, words: Sequence[str], *, expected: int = 0, keep: Keep = lambda _: True, shown: str = "") -> Ran:
        """Run one command to its end; of what it prints show what is kept, line by line, as it comes.

        ``shown``: the command as a person reads it, where that is not all of it.
        """
        self.narrator.command(shown or spelled(words))
        lines: list[str] = []
        process = await self._start(words)
        try:
            left_out = await self._show(process, lines, keep)
            status = await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        self.narrator.ended(left_out, status)
        ran = Ran(f"pgmend {words[0]}", expected, status, lines)
        self.ran.append(ran)
        return ran

    async def _start(self, words: Sequence[str]) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *ending_with_us(),
            *PGMEND,
            *words,
            cwd=self.folder,
            env=environment(self.url),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for the demo, which ends it
        )

    async def _show(self, process: asyncio.subprocess.Process, lines: list[str], keep: Keep) -> int:
        assert process.stdout is not None
        left_out = 0
        async for raw in process.stdout:
            line = raw.decode().rstrip("\n")
            lines.append(line)
            if keep(line):
                self.narrator.line(line)
            else:
                left_out += 1
        return left_out


def spelled(words: Sequence[str]) -> str:
    """Return the command as a person types it, an option a line where there are many."""
    options = shlex.join(words).replace(" --", "\n--").split("\n")
    together = " ".join(options)
    return f"pgmend {together}" if len(options) <= 3 else "pgmend " + " \\\n    ".join(options)  # noqa: PLR2004 - a line's worth


class OfBlocks:
    """Keeps the lines of those blocks, divided by empty lines, whose first line begins with one of these."""

    def __init__(self, *heads: str) -> None:
        """Begin before the first block."""
        self._heads = heads
        self._keeps: bool | None = None

    def __call__(self, line: str) -> bool:
        """Return whether this line, the next one, is kept; an empty line belongs to the block that it ends."""
        if self._keeps is None:
            self._keeps = line.startswith(self._heads)
        keeps = self._keeps
        if not line:
            self._keeps = None
        return keeps
