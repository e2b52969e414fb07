"""The application whose rows the clients insert: the sample shop, or one with tables of a client's own making."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import asyncpg

from tests.support.database import Database, count
from worker.store.connection import Connection

WRITER = "client_writer"
"""The role that the clients log in as: it may insert and capture, and does not own the tables."""

MODES = ("report", "ensure", "park")
"""The modes of a guard that the page has a column for."""


@dataclass(frozen=True, slots=True)
class Application:
    """One referencing table: how it comes about, who signs up, and the row that refers to them (``%s`` is the key)."""

    table: str
    row: str
    sign_up: str
    unknown_key: str
    make_profile: str
    prepare: Callable[[Database], Awaitable[None]] | None = None


SHOP = Application(
    table="public.orders",
    row='{"user_id": "%s", "amount": 9.90}',
    sign_up="insert into public.users (email) values ($1) returning id::text",
    unknown_key="00000000-0000-0000-0000-000000000000",
    make_profile="insert into public.profiles (id, name) values ($1, 'whole')",
)


@dataclass(frozen=True, slots=True)
class Stage:
    """An application in a database, ready for its clients."""

    application: Application
    database: Database
    connection: Connection

    @property
    def url(self) -> str:
        """Return the clients' address."""
        return self.database.cluster.url(self.database.name, WRITER)

    async def guard(self, mode: str) -> bool:
        """Guard the key of the referencing table; return whether that mode is possible there."""
        name = "select conname from pg_constraint where conrelid = $1::text::regclass and contype = 'f'"
        constraint = await self.connection.fetchval(name, self.application.table)
        try:
            await self.connection.execute(
                "select pgmend.guard($1::text::regclass, $2, mode => $3)", self.application.table, constraint, mode
            )
        except asyncpg.FeatureNotSupportedError:
            return False
        return True

    async def user(self, state: str) -> str:
        """Return the key of a user whose profile is ``missing`` or ``there``, or of one who is ``unknown``."""
        if state == "unknown":
            return self.application.unknown_key
        key = str(await self.connection.fetchval(self.application.sign_up, f"{state}@example.org"))
        if state == "there":
            await self.connection.execute(self.application.make_profile.replace("$1", f"'{key}'"))
        return key

    async def stored(self) -> int:
        """Return how many referencing rows there are."""
        return await count(self.connection, self.application.table)

    def row_of(self, key: str) -> dict[str, object]:
        """Return the referencing row of a user, as the two functions take it."""
        row: dict[str, object] = json.loads(self.application.row % key)
        return row


async def set_stage(application: Application, database: Database) -> Stage:
    """Make the application's tables and let the writer in."""
    if application.prepare:
        await application.prepare(database)
    connection = await database.connect()
    await connection.execute(
        f"""
        grant select, insert, update on {application.table} to {WRITER};
        grant usage on all sequences in schema public to {WRITER};
        select pgmend.grant_captures('{WRITER}')
        """
    )
    return Stage(application, database, connection)
