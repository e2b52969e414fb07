"""Commands that kill themselves at their N-th statement, one after another, without a new interpreter for each.

``python -m tests.support.dying_herd`` reads a death a line, ``{"last", "when", "url", "command"}``; a fork of it lives and dies,
for real, by SIGKILL; the line that it answers is the fork's exit status.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tests.support.dying_worker import die_at

_COMMAND = (sys.executable, "-m", "tests.support.dying_herd")


@dataclass(slots=True)
class Herd:
    """The process from which each command is forked."""

    process: asyncio.subprocess.Process

    async def dies(self, last: int, when: str, *, url: str, command: Sequence[str]) -> int:
        """Let a command die at that statement; return its exit status, negative for a signal."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        death = {"last": last, "when": when, "url": url, "command": list(command)}
        self.process.stdin.write(json.dumps(death).encode() + b"\n")
        async with asyncio.timeout(60):
            return int(await self.process.stdout.readline())


@asynccontextmanager
async def herd() -> AsyncIterator[Herd]:
    """Yield a herd; it ends when nobody asks it any more."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*_COMMAND, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL)
    yield Herd(process)
    process.kill()
    await process.wait()


def _live_and_die(death: dict[str, str]) -> None:
    """Be the command: with its address in the environment, and what it prints going nowhere."""
    for name in [name for name in os.environ if name.startswith("PGMEND_")]:
        del os.environ[name]
    os.environ["PGMEND_DATABASE_URL"] = death["url"]
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    os._exit(die_at(int(death["last"]), death["when"], death["command"]))


if __name__ == "__main__":
    for line in sys.stdin:
        child = os.fork()
        if not child:
            _live_and_die(json.loads(line))
        sys.stdout.write(f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}\n")
        sys.stdout.flush()
