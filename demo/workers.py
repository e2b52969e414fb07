"""The worker processes: started as anybody would start them, killed as nobody should."""

import asyncio
import signal
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from demo.command import PGMEND, ending_with_us, environment
from demo.errors import WorkerError
from worker.store.connection import Connection

_SECONDS_TO_START = 30.0
_SECONDS_TO_STOP = 10.0
_SECONDS_BETWEEN_LOOKS = 0.05
_LISTENING = "select count(*) from pgmend.workers where pid = any ($1::integer[])"


@dataclass(slots=True)
class Workers:
    """So many worker processes on one database, their logs in one folder."""

    url: str
    folder: Path
    number: int
    processes: list[Process] = field(default_factory=list)

    @property
    def pids(self) -> list[int]:
        """Return the process ids of those that live."""
        return [process.pid for process in self.processes if process.returncode is None]

    async def start(self) -> None:
        """Start them, each with a log that it appends to."""
        self.processes = [await self._start_one(number) for number in range(1, self.number + 1)]

    async def ready(self, connection: Connection) -> None:
        """Wait until all of them are at work."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _SECONDS_TO_START
        while await connection.fetchval(_LISTENING, self.pids) < self.number:
            self.require_alive()
            if loop.time() > deadline:
                raise WorkerError(f"no worker within {_SECONDS_TO_START:.0f} s", hint=f"look at {self.folder}")
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)

    def require_alive(self) -> None:
        """Raise WorkerError if one has ended by itself."""
        for number, process in enumerate(self.processes, 1):
            if process.returncode is not None:
                raise WorkerError(
                    f"worker {number} ended by itself with status {process.returncode}: {self._last_line(number)}",
                    hint=f"its log is {self._log(number)}",
                )

    async def kill(self) -> list[int]:
        """Kill all of them at once with SIGKILL; return their process ids."""
        killed, self.processes = self.processes, []
        for process in killed:
            process.kill()
        for process in killed:
            await process.wait()
        return [process.pid for process in killed]

    async def stop(self) -> None:
        """Stop gracefully those that live; kill what does not stop."""
        for process in self.processes:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(_SECONDS_TO_STOP):
                await asyncio.gather(*(process.wait() for process in self.processes))
        except TimeoutError:
            await self.kill()

    async def _start_one(self, number: int) -> Process:
        with self._log(number).open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *ending_with_us(),
                *PGMEND,
                "run",
                cwd=self.folder,
                env=environment(self.url),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the demo, which stops them in order
            )

    def _log(self, number: int) -> Path:
        return self.folder / f"worker_{number}.log"

    def _last_line(self, number: int) -> str:
        lines = self._log(number).read_text(errors="replace").splitlines()
        return lines[-1] if lines else "it said nothing"


@asynccontextmanager
async def working(workers: Workers) -> AsyncIterator[Workers]:
    """Have the workers at work for the length of the block."""
    try:
        await workers.start()
        yield workers
    finally:
        await asyncio.shield(workers.stop())
