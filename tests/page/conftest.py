"""The page as it is served: read-only, and with a token."""

from collections.abc import AsyncIterator

import pytest

from tests.support.browser import Tab, chromium, find_chromium
from tests.support.database import Database
from tests.support.paged import TOKEN, Visitor, serving
from worker.log import Log
from worker.store.connection import Target
from worker.web.page import PageOptions


def pytest_addoption(parser: pytest.Parser) -> None:
    """``./run test tests/page --screenshots`` draws the pictures of docs/page anew."""
    parser.addoption("--screenshots", action="store_true", help="write docs/page/*.png")


@pytest.fixture
async def tab() -> AsyncIterator[Tab]:
    """A browser, or a skipped test where there is none."""
    program = find_chromium()
    if program is None:
        pytest.skip("no Chromium is installed (Debian: apt-get install chromium)")
    async with chromium(program) as tab:
        yield tab


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
