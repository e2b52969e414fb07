"""A database of a test's own: the schema and the sample application, copied from a template."""

import itertools
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

from worker.embedded import Cluster
from worker.store import migrations
from worker.store.connection import Connection, Target, connect

DEMO = Path(__file__).parents[2] / "sql" / "demo"

_numbers = itertools.count(1)


@dataclass(slots=True)
class Database:
    """One database, and the connections that a test has opened to it."""

    cluster: Cluster
    name: str
    _open: list[Connection] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Return the address over the unix socket."""
        return self.cluster.url(self.name)

    async def connect(self, **target: Any) -> Connection:
        """Open a connection that is closed with the test."""
        connection = await connect(Target(self.url, **target))
        self._open.append(connection)
        return connection

    async def close(self) -> None:
        """Close what the test has opened."""
        for connection in self._open:
            connection.terminate()


async def create_database(cluster: Cluster, template: str | None = None) -> Database:
    """Create a database, from a template where one is named."""
    name = f"test_{next(_numbers)}"
    admin = await asyncpg.connect(cluster.url())
    try:
        await admin.execute(f"create database {name} template {template or 'template0'}")
    finally:
        await admin.close()
    return Database(cluster, name)


async def drop_database(database: Database) -> None:
    """Close what is open and drop the database, whoever is still connected."""
    await database.close()
    admin = await asyncpg.connect(database.cluster.url())
    try:
        await admin.execute(f"drop database if exists {database.name} with (force)")
    finally:
        await admin.close()


async def install_application(connection: Connection) -> None:
    """Migrate, and install the sample application, attached."""
    await migrations.apply(connection, error_logs_table="public.error_logs")
    for path in sorted(DEMO.glob("*.sql")):
        await connection.execute(path.read_text(encoding="utf-8"))


async def sign_up(connection: Connection, email: str | None = "ada@example.org", name: str | None = None) -> str:
    """Insert one user and return the key."""
    key = await connection.fetchval("insert into public.users (email, full_name) values ($1, $2) returning id::text", email, name)
    return str(key)


async def count(connection: Connection, query: str, *arguments: object) -> int:
    """Return how many rows there are in what follows ``from``."""
    return int(await connection.fetchval(f"select count(*) from {query}", *arguments))
