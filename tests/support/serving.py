"""A worker that serves inside the test's own process, where a fault can be put anywhere."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import StringIO
from typing import Any

from pydantic import SecretStr

from tests.support.web import Client
from worker.core.vitals import Vitals
from worker.log import Log
from worker.runtime.stopping import Stop
from worker.runtime.supervisor import Worker
from worker.settings import Settings
from worker.store.workers import Identity
from worker.web.server import serving


def make_worker(url: str, log: Log, *, vitals: Vitals | None = None, **settings: Any) -> Worker:
    """Return a worker that serves on a free port and observes often."""
    chosen: dict[str, Any] = {"http_port": 0, "observe_interval_seconds": 0.05, "heartbeat_interval_seconds": 0.2} | settings
    return Worker(
        Settings(database_url=SecretStr(url), **chosen), Identity("test", "here", 1, "0"), log, Stop(), vitals=vitals or Vitals()
    )


@asynccontextmanager
async def served(worker: Worker, lines: StringIO, *, working: bool = True) -> AsyncIterator[Client]:
    """Serve, and work unless told otherwise, inside the block."""
    async with serving(worker):
        started = next(line for line in map(json.loads, lines.getvalue().splitlines()) if line["event"] == "http_started")
        running = asyncio.ensure_future(worker.run() if working else worker.stop.wait())
        try:
            yield Client(started["port"])
        finally:
            worker.stop.request()
            await running
