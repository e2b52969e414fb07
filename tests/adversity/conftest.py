"""A network that fails on request, between the workers and the server."""

from collections.abc import AsyncIterator
from urllib.parse import urlsplit, urlunsplit

import pytest

from tests.support.database import Database
from tests.support.proxy import Proxy
from worker import embedded


@pytest.fixture
async def proxy(cluster: embedded.Cluster) -> AsyncIterator[Proxy]:
    """A proxy in front of the cluster, which forwards faithfully until told otherwise."""
    proxy = Proxy("127.0.0.1", cluster.port)
    await proxy.start()
    yield proxy
    await proxy.stop()


@pytest.fixture
def proxied_url(database: Database, proxy: Proxy) -> str:
    """The address of the test's database through the proxy."""
    direct = urlsplit(database.cluster.url(database.name, tcp=True))
    login = direct.netloc.rpartition("@")[0]
    return urlunsplit(direct._replace(netloc=f"{login}@127.0.0.1:{proxy.port}", query="sslmode=disable"))
