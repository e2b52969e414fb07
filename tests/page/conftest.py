"""The page as it is served: read-only, and with a token."""

from collections.abc import AsyncIterator

import pytest

from tests.support.database import Database
from tests.support.paged import TOKEN, Visitor, serving
from worker.log import Log
from worker.store.connection import Target
from worker.web.page import PageOptions


@pytest.fixture
async def visitor(database: Database, log: Log) -> AsyncIterator[Visitor]:
    """Somebody who looks at a page without a token."""
    async with serving(PageOptions(Target(database.url)), log) as visitor:
        yield visitor


@pytest.fixture
async def keeper(database: Database, log: Log) -> AsyncIterator[Visitor]:
    """Somebody who knows the token, and has not signed in yet."""
    async with serving(PageOptions(Target(database.url), TOKEN), log) as visitor:
        yield visitor
