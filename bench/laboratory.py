"""The laboratory: one private server, and for every round a fresh copy of a prepared database."""

import itertools
import os
import platform
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

from bench import application
from worker import embedded
from worker.store.connection import Connection

SETTINGS = {
    "shared_buffers": "512MB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "1h",
    "jit": "off",
    "track_commit_timestamp": "on",
}
"""Room enough that no checkpoint falls into a round, no compiling of plans, and commit times for the latency."""


@dataclass(slots=True)
class Laboratory:
    """A server for measurements. ``quick``: sizes for a smoke test, whose figures mean nothing."""

    cluster: embedded.Cluster
    durable: bool
    quick: bool
    events: int | None = None
    """Events of a measurement that takes as many as one likes, where somebody has said so."""
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def size(self, full: int, quick: int) -> int:
        """Return the size of a measurement."""
        return quick if self.quick else full

    def program(self, name: str) -> Path:
        """Return where a client program of the server's own version should be."""
        return Path(self.cluster.binaries.program(name))

    async def prepare(self, filling: application.Filling) -> str:
        """Create a database with the sample application, attached and filled; return its name."""
        name = f"prepared_{next(self._numbers)}"
        await self._administer(f"create database {name}")
        connection = await asyncpg.connect(self.cluster.url(name), command_timeout=600)
        try:
            await application.install(connection)
            await application.fill(connection, filling)
        finally:
            await connection.close()
        return name

    @asynccontextmanager
    async def copy(self, prepared: str) -> AsyncIterator[str]:
        """Yield the address of a copy of a prepared database, which is dropped afterwards."""
        name = f"round_{next(self._numbers)}"
        await self._administer(f"create database {name} template {prepared}")
        try:
            yield self.cluster.url(name)
        finally:
            await self._administer(f"drop database {name} with (force)")

    def conditions(self) -> dict[str, Any]:
        """Return under which conditions the figures were taken."""
        return {
            "postgres": self.cluster.binaries.version,
            "durable": self.durable,
            "settings": SETTINGS
            | ({} if self.durable else dict.fromkeys(("fsync", "synchronous_commit", "full_page_writes"), "off")),
            "processors": os.cpu_count(),
            "machine": platform.machine(),
            "python": platform.python_version(),
            "quick": self.quick,
        }

    async def _administer(self, statement: str) -> None:
        connection = await asyncpg.connect(self.cluster.url(), command_timeout=120)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


@contextmanager
def open_laboratory(*, durable: bool, quick: bool, events: int | None = None) -> Iterator[Laboratory]:
    """Start the server, and stop it at the end. Call it from the main thread."""
    with embedded.start(durable=durable, settings=SETTINGS) as cluster:
        yield Laboratory(cluster, durable, quick, events)


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Connection]:
    """Yield a plain connection, as an application has one."""
    connection = await asyncpg.connect(url, command_timeout=600)
    try:
        yield connection
    finally:
        await connection.close()
