"""The database away: the page answers all the same, and says what it knows."""

from collections.abc import AsyncIterator
from urllib.parse import urlsplit, urlunsplit

import pytest

from tests.support.database import Database
from tests.support.paged import Visitor, serving
from tests.support.proxy import Proxy
from worker.embedded import Cluster
from worker.log import Log
from worker.store import integrity
from worker.store.connection import Connection, Target
from worker.web.page import PageOptions


@pytest.fixture
async def proxy(cluster: Cluster) -> AsyncIterator[Proxy]:
    """The network between the page and the server."""
    proxy = Proxy("127.0.0.1", cluster.port)
    await proxy.start()
    yield proxy
    await proxy.stop()


@pytest.fixture
async def far(database: Database, proxy: Proxy, log: Log) -> AsyncIterator[Visitor]:
    """Somebody who looks at a page whose database is behind that network."""
    direct = urlsplit(database.cluster.url(database.name, tcp=True))
    login = direct.netloc.rpartition("@")[0]
    url = urlunsplit(direct._replace(netloc=f"{login}@127.0.0.1:{proxy.port}", query="sslmode=disable"))
    target = Target(url, connect_timeout=0.5)
    async with serving(PageOptions(target, statement_timeout=0.2), log) as visitor:
        yield visitor


async def test_overview_tells_what_was_known_and_that_it_is_old(far: Visitor, proxy: Proxy, connection: Connection) -> None:
    """The figures of before stand there, under a sentence that claims nothing."""
    await integrity.count_users(connection, 1)
    before = await far.get("/")
    proxy.cuts_new_connections = True
    proxy.cut()
    far.clock.now += 5

    away = await far.get("/")

    assert (before.status, away.status) == (200, 503)
    assert "Nobody knows whether users are whole." in away.main
    assert "The database does not answer" in away.main
    assert "What follows is what was known then." in away.main
    assert "Users and profiles" in away.main


@pytest.mark.parametrize("place", ["/", "/audit", "/dead-letters", "/dead-letters/1", "/events/1"])
async def test_page_says_that_nothing_can_be_read(far: Visitor, proxy: Proxy, place: str) -> None:
    """Never asked before, it has nothing to tell, and says why; the address's password is not in it."""
    proxy.cuts_new_connections = True

    away = await far.get(place)

    assert away.status == 503
    assert "The database does not answer" in away.main
    assert "postgresql://" not in away.text


async def test_page_comes_back_with_the_database(far: Visitor, proxy: Proxy) -> None:
    """A connection that was cut is opened anew within the same look."""
    await far.get("/audit")
    proxy.cut()

    assert (await far.get("/audit")).status == 200


async def test_hung_database_costs_a_bounded_time_and_then_the_page_answers(far: Visitor, proxy: Proxy) -> None:
    """No word from the server, and every socket open: the look ends, and the next one is told at once."""
    await far.get("/audit")
    proxy.blackhole()

    assert [(await far.get("/audit")).status for _ in range(3)] == [503, 503, 503]

    proxy.flow()


async def test_slow_answer_is_given_up_and_costs_nobody_the_connection(far: Visitor, connection: Connection) -> None:
    """A table that is locked by somebody else ends the one question."""
    async with connection.transaction():
        await connection.execute("lock table public.error_logs in access exclusive mode")
        locked = await far.get("/audit")

    assert locked.status == 503
    assert "takes too long" in locked.main or "locked by somebody else" in locked.main
    assert (await far.get("/audit")).status == 200
