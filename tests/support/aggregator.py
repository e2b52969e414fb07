"""rsyslog as the log aggregator of a test: it follows the log of a worker and keeps its fields in a database."""

import asyncio
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.support.process import COMMAND, environment
from tests.support.waiting import eventually
from worker.store.connection import Connection

LOGGING = Path(__file__).parents[2] / "deploy" / "logging"
_MODULES = Path("/usr/lib")
_MAIN = """
global(workDirectory="{folder}" maxMessageSize="64k")
include(file="{configuration}")
"""


def find_rsyslog() -> str | None:
    """Return the path of the daemon, if it is there with its output to Postgres."""
    found = shutil.which("rsyslogd", path=f"{os.environ['PATH']}:/usr/sbin")
    return found if found and any(_MODULES.glob("*/rsyslog/ompgsql.so")) else None


@dataclass(slots=True)
class Aggregator:
    """The daemon, a folder of its own, and a session on its store."""

    program: str
    folder: Path
    store: str
    session: Connection
    running: asyncio.subprocess.Process | None = None

    @property
    def log(self) -> Path:
        """Return the file that a worker writes to and the daemon follows."""
        return self.folder / "worker.log"

    async def start(self) -> None:
        """Make the table and start the daemon, with the configuration as it is handed out."""
        await self.session.execute((LOGGING / "schema.sql").read_text())
        main = self.folder / "rsyslog.conf"
        main.write_text(_MAIN.format(folder=self.folder, configuration=LOGGING / "rsyslog.conf"))
        self.log.touch()
        self.running = await asyncio.create_subprocess_exec(
            *(self.program, "-n", "-f", str(main), "-i", str(self.folder / "pid")),
            env={**os.environ, "PGMEND_LOG_FILES": str(self.log), "PGMEND_LOG_STORE": self.store},
        )

    async def run_worker(self, url: str, **settings: object) -> asyncio.subprocess.Process:
        """Start a worker that logs into the file, as a unit or a container runtime has it."""
        with self.log.open("ab") as log:
            return await asyncio.create_subprocess_exec(*COMMAND, "run", env=environment(url, **settings), stdout=log, stderr=log)

    async def ask(self, query: str, *arguments: object) -> list[tuple[object, ...]]:
        """Return the rows that a query over ``logs.pgmend_lines`` finds, once it finds any."""

        async def look() -> list[tuple[object, ...]]:
            return [tuple(row) for row in await self.session.fetch(query, *arguments)]

        return await eventually(look)

    async def has_all(self) -> int:
        """Wait until every line that was written is in the store; return how many."""

        async def look() -> int:
            written = len(self.log.read_bytes().splitlines())
            kept = int(await self.session.fetchval("select count(*) from logs.pgmend_lines"))
            return kept if kept >= written else 0

        return await eventually(look)

    async def stop(self) -> None:
        """End the daemon."""
        if self.running and self.running.returncode is None:
            self.running.terminate()
            await self.running.wait()
