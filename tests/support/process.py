"""A real worker process, its log read line by line."""

import asyncio
import json
import os
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from tests.support.waiting import eventually

COMMAND = (sys.executable, "-m", "worker")


def environment(url: str, **settings: object) -> dict[str, str]:
    """Return an environment with these settings (``poll_interval_seconds=3600``) and no other."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PGMEND_", "OTEL_"))}
    return clean | {"PGMEND_DATABASE_URL": url} | {f"PGMEND_{name.upper()}": str(value) for name, value in settings.items()}


@dataclass(slots=True)
class WorkerProcess:
    """A process of ``pgmend run`` and everything that it has logged so far."""

    process: asyncio.subprocess.Process
    lines: list[dict[str, Any]] = field(default_factory=list)
    stderr: bytes = b""
    _reading: list["asyncio.Task[None]"] = field(default_factory=list)

    async def logged(self, event: str, *, within: float = 20.0, **fields: object) -> dict[str, Any]:
        """Wait for a log line of that event with those fields and return it."""

        async def look() -> dict[str, Any] | None:
            wanted = {"event": event, **fields}
            return next((line for line in self.lines if wanted.items() <= line.items()), None)

        found = await eventually(look, within=within)
        assert found is not None
        return found

    async def has_warned(self) -> bool:
        """Return whether the log holds a warning, or something worse."""
        return any(line["level"] in {"warning", "error"} for line in self.lines)

    async def ended(self, *, within: float = 30.0) -> int:
        """Wait for the end of the process and return its exit status."""
        async with asyncio.timeout(within):
            status = await self.process.wait()
            await asyncio.gather(*self._reading)
        return status

    async def kill(self) -> None:
        """SIGKILL, unless it has ended."""
        self.send(signal.SIGKILL)
        await self.ended()

    def send(self, number: signal.Signals) -> None:
        """Send a signal, unless the process has ended. Not through asyncio, which may reap the process and lose its status."""
        if self.process.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.process.pid, number)

    def read(self) -> None:
        """Begin to read both streams."""
        self._reading = [asyncio.ensure_future(self._read_log()), asyncio.ensure_future(self._read_errors())]

    async def _read_log(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.lines.append(json.loads(line))

    async def _read_errors(self) -> None:
        assert self.process.stderr is not None
        self.stderr = await self.process.stderr.read()


async def start_worker(url: str, *command: str, **settings: object) -> WorkerProcess:
    """Start ``pgmend run`` (or another command) against a database."""
    process = await asyncio.create_subprocess_exec(
        *(command or (*COMMAND, "run")),
        env=environment(url, **settings),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    worker = WorkerProcess(process)
    worker.read()
    return worker


async def run_command(url: str, *arguments: str, **settings: object) -> tuple[int, str, str]:
    """Run one ``pgmend`` command to its end; return exit status, stdout, stderr."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        *arguments,
        env=environment(url, **settings),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()
