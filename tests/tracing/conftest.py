"""A collector of the test's own."""

from collections.abc import AsyncIterator

import pytest

from tests.support.collector import Collector


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    """A real receiver of OTLP over HTTP on loopback."""
    collector = Collector()
    await collector.start()
    yield collector
    await collector.stop()
