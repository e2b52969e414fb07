"""What a worker says once at its start, as nobody would look for it: that it has nothing to do, or that anybody may look in."""

import pytest

from tests.conftest import StartWorker
from tests.support.database import Database
from tests.support.process import WorkerProcess
from worker.store import migrations

TOKEN = "a-token-of-the-tests-only"  # noqa: S105 - as it says


async def said(worker: WorkerProcess, event: str) -> list[str]:
    """Return the levels of the lines of that event, once the worker is at work."""
    await worker.logged("listener_connected")
    return [line["level"] for line in worker.lines if line["event"] == event]


async def test_worker_without_a_source_says_once_that_nothing_is_attached(empty_database: Database, start: StartWorker) -> None:
    """It waits for work that cannot come, and looks like one that has nothing to do."""
    await migrations.apply(await empty_database.connect(), error_logs_table="public.error_logs")
    worker = await start(url=empty_database.url)

    assert await said(worker, "nothing_attached") == ["warning"]
    assert "pgmend attach" in (await worker.logged("nothing_attached"))["hint"]


async def test_worker_with_a_source_says_nothing_of_that(start: StartWorker) -> None:
    """A word that is always said is read by nobody."""
    assert await said(await start(), "nothing_attached") == []


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])  # noqa: S104 - what is warned of
async def test_address_beyond_this_machine_without_a_token_is_warned_of_once(start: StartWorker, host: str) -> None:
    """Whoever reaches the port reads the page: the address is named, and what keeps others out."""
    worker = await start(http_port=0, http_host=host)

    assert await said(worker, "http_unguarded") == ["warning"]
    line = await worker.logged("http_unguarded")
    assert line["host"] == host
    assert "127.0.0.1" in line["hint"]


@pytest.mark.parametrize(
    "settings",
    [{"http_host": "0.0.0.0", "http_token": TOKEN}, {"http_host": "localhost"}, {"http_host": "127.0.0.2"}],  # noqa: S104
)
async def test_loopback_or_a_token_is_not_warned_of(start: StartWorker, settings: dict[str, object]) -> None:
    """Loopback under any name is this machine."""
    assert await said(await start(http_port=0, **settings), "http_unguarded") == []
