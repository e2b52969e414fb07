"""The doctor and the way to the server: poolers, deaf ears, and addresses that lead elsewhere."""

from collections.abc import AsyncIterator
from urllib.parse import urlsplit, urlunsplit

import pytest

from tests.support.database import Database
from tests.support.examined import checks, examined
from tests.support.pooler import TransactionPooler
from tests.support.proxy import Proxy

NOBODY = "postgresql://nobody@127.0.0.1:1/nothing"


@pytest.fixture
async def pooled_url(database: Database) -> AsyncIterator[str]:
    """The address of the test's database through a transaction pooler."""
    pooler = TransactionPooler(f"{database.cluster.host}/.s.PGSQL.{database.cluster.port}")
    await pooler.start()
    direct = urlsplit(database.cluster.url(database.name, tcp=True))
    login = direct.netloc.rpartition("@")[0]
    yield urlunsplit(direct._replace(netloc=f"{login}@127.0.0.1:{pooler.port}", query="sslmode=disable"))
    await pooler.stop()


async def test_transaction_pooler_is_recognised_with_all_that_it_breaks(pooled_url: str) -> None:
    """Its kind, the deaf listener and the lost prepared statements; and the report itself comes through it whole."""
    report = await examined(pooled_url, bell_patience=0.5)

    assert report.facts["pooler"] == "transaction"
    assert {"listen_deaf", "prepared_statements_lost"} <= checks(list(report.findings))
    assert "not_seen" not in checks(list(report.findings))


async def test_direct_address_for_listen_ends_the_deafness(database: Database, pooled_url: str) -> None:
    """The bell is rung through the pooler and heard beside it."""
    report = await examined(pooled_url, listen_url=database.url)

    assert "listen_deaf" not in checks(list(report.findings))
    assert "listen_url_elsewhere" not in checks(list(report.findings))


async def test_direct_connection_is_called_one(database: Database) -> None:
    """No pooler, and nothing to say of the way."""
    report = await examined(database.url)

    assert report.facts["pooler"] == "none"
    assert not {check for check in checks(list(report.findings)) if check.startswith(("listen_", "prepared_"))}


async def test_lost_notifications_are_found(proxy: Proxy, proxied_url: str) -> None:
    """Where LISTEN seems to work and nothing arrives, the doctor says so."""
    proxy.drops_notifications = True
    report = await examined(proxied_url, bell_patience=0.5)

    assert "listen_deaf" in checks(list(report.findings))
    assert proxy.dropped > 0


async def test_listen_url_of_another_database_is_found(database: Database, empty_database: Database) -> None:
    """Notifications do not cross databases, even on one server."""
    report = await examined(database.url, listen_url=empty_database.url)

    assert "listen_url_elsewhere" in checks(list(report.findings))


async def test_listen_url_that_leads_nowhere_is_found(database: Database) -> None:
    """The rest of the report is there all the same."""
    report = await examined(database.url, listen_url=NOBODY)

    assert "listen_url_unreachable" in checks(list(report.findings))
    assert "worker_not_seen" in checks(list(report.findings))
