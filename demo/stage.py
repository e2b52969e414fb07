"""The stage: a server, a database of the demo's own on it, the schema of pgmend and the sample application in it."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import asyncpg

from demo.command import pgmend
from demo.errors import StageError
from demo.options import Options
from demo.statements import sample_application, statement
from worker import embedded
from worker.store.connection import Connection, Target, close, connect

_PRIVATE_SERVER = {"track_commit_timestamp": "on"}
"""So that the time to integrity can be told from commit to commit."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A database that belongs to the demo, and the server's name for people."""

    url: str
    server: str

    @property
    def target(self) -> Target:
        """Return where the clients connect."""
        return Target(self.url, application_name="pgmend demo")

    async def install(self, folder: Path) -> None:
        """Migrate with the real command, then install the sample application and the demo's own memory."""
        await pgmend(self.url, "migrate", folder=folder)
        connection = await connect(self.target)
        try:
            for text in (*sample_application(), statement("schema")):
                await connection.execute(text)
        finally:
            await close(connection)


@contextmanager
def server_url(options: Options) -> Iterator[str]:
    """Yield the address of a server: the one that is set, or a private one that lives as long as the block."""
    if options.database_url:
        yield options.database_url
        return
    with embedded.start(settings=_PRIVATE_SERVER) as cluster:
        yield cluster.url()


@asynccontextmanager
async def set_up(server: str, *, private: bool, keep: bool) -> AsyncIterator[Stage]:
    """Yield a fresh database, and drop it afterwards, unless it is kept or the whole server goes."""
    name = f"pgmend_demo_{secrets.token_hex(4)}"
    connection = await connect(Target(server))
    had_role = await connection.fetchval("select to_regrole('pgmend_worker') is not null")
    try:
        await _create(connection, name)
        version = f"Postgres {connection.get_server_version().major}"
        yield Stage(with_database(server, name), f"{version}, {'private' if private else 'yours'}")
    finally:
        if not private and not keep:
            await asyncio.shield(_drop(server, name, had_role=had_role))
        await close(connection)


def with_database(url: str, name: str) -> str:
    """Return the address of another database on the same server."""
    parts = urlsplit(url)
    query = [(key, value) for key, value in parse_qsl(parts.query) if key not in ("dbname", "database")]
    return urlunsplit(parts._replace(path=f"/{quote(name, safe='')}", query=urlencode(query)))


async def _create(connection: Connection, name: str) -> None:
    try:
        await connection.execute(f"create database {name}")
    except asyncpg.InsufficientPrivilegeError as error:
        raise StageError(
            "this role may not create a database", hint="grant it createdb, or unset PGMEND_DATABASE_URL for a private server"
        ) from error


async def _drop(server: str, name: str, *, had_role: bool) -> None:
    """Drop the database, and the role that migrating has made, unless it was there before or is used elsewhere."""
    connection = await connect(Target(server))
    try:
        await connection.execute(f"drop database if exists {name} with (force)")
        if not had_role:
            with suppress(asyncpg.DependentObjectsStillExistError):
                await connection.execute("drop role if exists pgmend_worker")
    finally:
        await close(connection)
