"""What probes and metrics set for their own questions: a pooler gives their session to the worker next."""

import asyncio

import pytest

from tests.support.database import Database
from tests.support.proxy import Proxy
from worker.store.connection import Connection, Target
from worker.web.reader import Reader, UnavailableError


async def test_impatience_of_the_observer_ends_with_its_question(database: Database) -> None:
    """A statement of theirs has little time; the session that they leave behind has what the worker's sessions have."""
    reader = Reader(Target(database.url, statement_timeout=30), timeout=0.5)

    async def question(connection: Connection) -> tuple[Connection, str]:
        return connection, str(await connection.fetchval("show statement_timeout"))

    session, within = await reader.ask(question)
    after = await session.fetchval("show statement_timeout")
    await reader.close()

    assert (within, after) == ("500ms", "30s")


async def test_observer_gives_a_silent_connection_up_in_its_own_time(proxied_url: str, proxy: Proxy) -> None:
    """It does not wait for a rollback, for which a session of the worker's kind would have half a minute."""
    reader = Reader(Target(proxied_url, statement_timeout=30), timeout=0.1)
    await reader.ask(lambda connection: connection.fetchval("select 1"))

    async def question(connection: Connection) -> None:
        proxy.blackhole()
        await connection.fetchval("select 1")

    async with asyncio.timeout(10):
        with pytest.raises(UnavailableError):
            await reader.ask(question)

    proxy.flow()
    assert await reader.ask(lambda connection: connection.fetchval("select 1")) == 1
    await reader.close()


async def test_question_that_is_cancelled_leaves_no_transaction_behind(database: Database) -> None:
    """Whoever asked has gone in the middle: the session goes, too, and the next question has another."""
    reader, begun, sessions = Reader(Target(database.url)), asyncio.Event(), []

    async def question(connection: Connection) -> None:
        sessions.append(connection)
        begun.set()
        await asyncio.Event().wait()

    asking = asyncio.ensure_future(reader.ask(question))
    await begun.wait()
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)

    assert sessions[0].is_closed()
    assert await reader.ask(lambda connection: connection.fetchval("select 1")) == 1
    await reader.close()
