"""Roles of a test's own."""

from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import asyncpg
import pytest

from tests.support.database import Database, drop_database
from worker.embedded import Cluster
from worker.store.connection import Connection, Target, connect

MakeRole = Callable[..., Coroutine[Any, Any, None]]
LogIn = Callable[[str], Coroutine[Any, Any, Connection]]


@pytest.fixture
async def make_role(cluster: Cluster, database: Database) -> AsyncIterator[MakeRole]:
    """A function that makes roles; they go after the test's database, and everything of theirs with it."""
    made: list[str] = []
    admin = await asyncpg.connect(cluster.url())

    async def make(name: str, options: str = "nologin") -> None:
        await admin.execute(f"create role {name} {options}")
        made.append(name)

    yield make
    await drop_database(database)
    for name in reversed(made):
        await admin.execute(f"drop role {name}")
    await admin.close()


@pytest.fixture
async def log_in(cluster: Cluster, database: Database) -> LogIn:
    """A function that opens a session of a role with login, closed with the test."""

    async def open_session(name: str) -> Connection:
        session = await connect(Target(cluster.url(database.name, name)))
        database._open.append(session)
        return session

    return open_session


@pytest.fixture
async def writer(make_role: MakeRole, database: Database) -> Connection:
    """A session of shop_writer, who may insert orders and leads, and capture what fails, and nothing else."""
    await make_role("shop_writer")
    session = await database.connect()
    await session.execute(
        """
        grant insert on public.orders, public.leads to shop_writer;
        select pgmend.grant_captures('shop_writer');
        set role shop_writer
        """
    )
    return session
