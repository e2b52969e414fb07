"""One private cluster for the run, a template database, and a copy of it for each test."""

import asyncio
import gc
import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
import structlog

from tests.support.applications import Supabase, drop_supabase, make_supabase
from tests.support.database import Database, create_database, drop_database, install_application
from tests.support.process import WorkerProcess, start_worker
from tests.support.proxy import Proxy
from worker import embedded
from worker.log import Log, make_log
from worker.pipeline import Path
from worker.store.connection import Connection, Target, connect

StartWorker = Callable[..., Coroutine[Any, Any, WorkerProcess]]


def pytest_configure() -> None:
    """Let the processes that tests start end at Ctrl-C: a script that runs the tests in the background has them ignore it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """No garbage is collected while test files are compiled.

    CPython 3.11 counts the depth of its AST in one place for all callers: a finalizer that compiles something in the middle ends
    the run with "AST constructor recursion depth mismatch". Seen twice in some hundred runs.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


@pytest.fixture(scope="session")
def cluster() -> Iterator[embedded.Cluster]:
    """A private server of the major that ``./run test --pg`` names, with its port open on loopback for the proxies."""
    major = os.environ.get("PGMEND_TEST_PG")
    with embedded.start(embedded.find(int(major) if major else None), listen=True) as running:
        yield running


@pytest.fixture(scope="session")
def template(cluster: embedded.Cluster) -> str:
    """The name of a database that is migrated and holds the sample application, attached."""

    async def build() -> str:
        database = await create_database(cluster)
        connection = await connect(Target(database.url))
        await install_application(connection)
        await connection.close()
        return database.name

    with ThreadPoolExecutor(1) as pool:  # a loop of its own, away from that of any test
        return pool.submit(asyncio.run, build()).result()


@pytest.fixture
async def database(cluster: embedded.Cluster, template: str) -> AsyncIterator[Database]:
    """A database of the test's own with the sample application."""
    database = await create_database(cluster, template)
    yield database
    await drop_database(database)


@pytest.fixture
async def empty_database(cluster: embedded.Cluster) -> AsyncIterator[Database]:
    """A database of the test's own with nothing in it."""
    database = await create_database(cluster)
    yield database
    await drop_database(database)


@pytest.fixture
async def supabase(empty_database: Database) -> AsyncIterator[Supabase]:
    """A hosted application, not attached, whose users belong to a role of the service; pgmend is not installed."""
    supabase = await make_supabase(empty_database)
    yield supabase
    await drop_supabase(supabase)


@pytest.fixture
async def connection(database: Database) -> Connection:
    """The application's connection."""
    return await database.connect()


@pytest.fixture
def log_lines() -> StringIO:
    """What ``log`` has written."""
    return StringIO()


@pytest.fixture
def log(log_lines: StringIO) -> Log:
    """A JSON logger into ``log_lines``."""
    return make_log(level="debug", log_format="json", worker_id="test", stream=log_lines)


@pytest.fixture
async def path(database: Database, log: Log) -> Path:
    """The worker's path, in this process, on a connection of its own."""
    return Path(await database.connect(application_name="worker under test"), log)


@pytest.fixture
async def start(database: Database) -> AsyncIterator[StartWorker]:
    """A function that starts real worker processes on the test's database; they are killed with the test."""
    started: list[WorkerProcess] = []

    async def start_one(*command: str, url: str | None = None, **settings: object) -> WorkerProcess:
        worker = await start_worker(url or database.url, *command, **settings)
        started.append(worker)
        return worker

    yield start_one
    for worker in started:
        await worker.kill()


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


@pytest.fixture(autouse=True)
def _no_configuration_left_behind() -> Iterator[None]:
    """Nothing may configure structlog for the whole process."""
    yield
    assert not structlog.is_configured()
