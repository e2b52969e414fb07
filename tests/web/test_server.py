"""The HTTP server among bad clients: it refuses, bounds and answers, and nothing that it meets reaches the worker's work."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from io import StringIO

import pytest
from aiohttp import web

from tests.conftest import StartWorker
from tests.support.database import Database, count, sign_up
from tests.support.process import run_command
from tests.support.serving import make_worker, served
from tests.support.waiting import eventually
from tests.support.web import Client
from tests.support.workload import healed
from tests.web.conftest import Serve
from worker.log import Log
from worker.store.connection import Connection
from worker.web import application, connections, exposition
from worker.web.address import Address, parsed
from worker.web.connections import MOST_CONNECTIONS, SECURITY_HEADERS

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
UNFINISHED = b"GET /livez HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture
async def client(database: Database, log: Log, log_lines: StringIO) -> AsyncIterator[Client]:
    """A client of a server in this process, whose worker does nothing."""
    async with served(make_worker(database.url, log), log_lines, working=False) as client:
        yield client


async def raw(client: Client, sent: bytes) -> Streams:
    """Open a connection and send these bytes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    writer.write(sent)
    await writer.drain()
    return reader, writer


async def answer_to(client: Client, sent: bytes) -> bytes:
    """Return all that comes back until the server closes."""
    reader, writer = await raw(client, sent)
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    return answer


async def test_nothing_is_served_unless_a_port_is_set(connection: Connection, start: StartWorker) -> None:
    """Off by default: a worker opens no port that nobody asked for, and observes nothing."""
    worker = await start()
    await worker.logged("listener_connected")
    await healed(connection, await sign_up(connection))
    observers = "pg_stat_activity where application_name = 'pgmend observing' and datname = current_database()"

    assert "http_started" not in {line["event"] for line in worker.lines}
    assert await count(connection, observers) == 0


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [("/nothing", "GET", 404), ("/livez", "POST", 405), ("/metrics", "HEAD", 200), ("/readyz", "GET", 503)],
)
async def test_every_answer_carries_the_security_headers(client: Client, path: str, method: str, status: int) -> None:
    """Also a refusal, and a probe that is red."""
    answer = await client.get(path, method)

    assert answer.status == status
    assert SECURITY_HEADERS.items() <= answer.headers.items()


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Large: " + b"x" * 100_000 + b"\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: x\r\n" % number for number in range(1000)) + b"\r\n",
        b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: x\r\n<script>alert(1)</script>\r\n\r\n",
    ],
    ids=["large header", "many headers", "long path", "tls", "script"],
)
async def test_what_is_no_request_is_refused_without_an_echo(client: Client, sent: bytes, log_lines: StringIO) -> None:
    """Headers are bounded in size and number; the refusal repeats nothing, carries the headers, and is no news for the log."""
    answer = await answer_to(client, sent)

    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.0 400"))
    assert b"X-Content-Type-Options: nosniff" in answer
    assert answer.endswith(b"\r\n\r\nthe request cannot be read\n")
    assert "request_failed" not in log_lines.getvalue()


async def test_clients_that_never_finish_their_request_keep_nobody_out(client: Client) -> None:
    """However many there are, the one that has been there longest makes room for a probe."""
    slow = [await raw(client, UNFINISHED) for _ in range(3 * MOST_CONNECTIONS)]
    answers = await asyncio.gather(*(client.get("/livez") for _ in range(20)))

    assert {answer.status for answer in answers} == {200}
    async with asyncio.timeout(10):
        assert await slow[0][0].read() == b""
    for _, writer in slow:
        writer.close()


@pytest.fixture
def short_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections that end after two tenths of a second, and say goodbye in one."""
    monkeypatch.setattr(connections, "LONGEST_CONNECTION_SECONDS", 0.2)
    monkeypatch.setattr(connections, "_LONGEST_GOODBYE_SECONDS", 0.1)


@pytest.mark.usefixtures("short_lives")
async def test_client_that_trickles_its_request_is_cut_off(database: Database, log: Log, log_lines: StringIO) -> None:
    """A place is held for a while, and no longer."""
    async with served(make_worker(database.url, log), log_lines, working=False) as client:
        assert await answer_to(client, UNFINISHED) == b""


@pytest.mark.usefixtures("short_lives")
async def test_busy_connection_does_not_outlive_its_time(
    database: Database, log: Log, log_lines: StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does that of a client that asks again and again: it has its last answer, and may connect anew."""
    monkeypatch.setattr(connections, "_LONGEST_GOODBYE_SECONDS", 3600)
    async with served(make_worker(database.url, log), log_lines, working=False) as client:
        reader, writer = await raw(client, UNFINISHED + b"\r\n")
        async with asyncio.timeout(10):
            while await reader.read(65_536):
                writer.write(UNFINISHED + b"\r\n")
        writer.close()

    assert reader.at_eof()


@pytest.mark.usefixtures("short_lives")
async def test_client_that_does_not_read_its_answer_is_cut_off(
    database: Database, log: Log, log_lines: StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What nobody takes is thrown away with the connection."""
    monkeypatch.setattr(exposition.Exposition, "write", lambda _self, _accept: (b"x" * 50_000_000, "text/plain"))
    async with served(make_worker(database.url, log), log_lines, working=False) as client:
        reader, writer = await raw(client, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        await eventually(lambda: _is_cut_off(writer))
        writer.close()

    assert len(reader._buffer) < 50_000_000  # type: ignore[attr-defined]


async def _is_cut_off(writer: asyncio.StreamWriter) -> bool:
    writer.write(b"GET")
    return writer.transport.is_closing()


async def test_handler_that_fails_is_one_line_and_the_worker_goes_on(
    database: Database, connection: Connection, log: Log, log_lines: StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client reads no detail of it."""

    def fails(_self: object, _accept: str) -> tuple[bytes, str]:
        raise RuntimeError("a bug: postgresql://ada:secret@db/app")

    monkeypatch.setattr(exposition.Exposition, "write", fails)
    async with served(make_worker(database.url, log), log_lines) as client:
        answer = await client.get("/metrics")
        await healed(connection, await sign_up(connection))

    assert (answer.status, answer.body) == (500, {"error": "see the log"})
    assert "request_failed" in log_lines.getvalue()
    assert "secret" not in log_lines.getvalue()


async def test_handler_that_takes_too_long_is_ended(
    database: Database, log: Log, log_lines: StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With 503, after the longest time that a request may take."""
    monkeypatch.setattr(application, "LONGEST_REQUEST_SECONDS", 0.05)

    async def never(_request: web.Request) -> web.Response:
        await asyncio.get_running_loop().create_future()
        raise AssertionError

    monkeypatch.setattr(application, "add_probes", lambda app, _site: app.router.add_get("/livez", never))
    async with served(make_worker(database.url, log), log_lines, working=False) as client:
        assert (await client.get("/livez")).status == 503


async def test_observation_that_fails_unexpectedly_ends_nothing(
    database: Database, connection: Connection, log: Log, log_lines: StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug in what probes look at turns readiness red, and the worker heals on."""

    async def fails(*_arguments: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("worker.store.observation.look", fails)
    async with served(make_worker(database.url, log), log_lines) as client:
        await client.turns("/readyz", "database_unseen")
        await healed(connection, await sign_up(connection))

    assert log_lines.getvalue().count("observation_failed") == 1


async def test_second_worker_on_a_port_is_refused_before_it_works(database: Database, serve: Serve) -> None:
    """One line that says what to do, and exit status 43; the first one goes on."""
    _, client = await serve()
    status, _, error = await run_command(database.url, "run", "--http", str(client.port))

    assert status == 43
    assert error.startswith(f"pgmend: cannot serve on 127.0.0.1:{client.port}: Address already in use -> another worker")
    assert (await client.get("/livez")).status == 200


@pytest.mark.parametrize(
    ("host", "hint"), [("203.0.113.1", "this machine has no such address"), ("no-such-host.invalid", "check PGMEND_HTTP_HOST")]
)
async def test_address_that_cannot_be_served_on_is_refused(database: Database, host: str, hint: str) -> None:
    """Also where the name leads nowhere."""
    status, _, error = await run_command(database.url, "run", http_port=0, http_host=host)

    assert status == 43
    assert hint in error


async def test_option_that_is_no_address_is_a_wrong_command_line(database: Database) -> None:
    """It is refused before anything is done."""
    status, _, error = await run_command(database.url, "run", "--http=70000")

    assert status == 2
    assert "'70000' is no [HOST:]PORT" in error


@pytest.mark.parametrize("text", ["", "x", "1:2:3", "70000", "host:", ":1", "[::1]", "-1", "1\n"])
def test_what_is_no_address_is_refused(text: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        parsed(text)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("9187", (None, 9187)),
        ("127.0.0.2:80", ("127.0.0.2", 80)),
        ("[::1]:0", ("::1", 0)),
        ("db.internal:65535", ("db.internal", 65535)),
    ],
)
def test_address_is_a_port_alone_or_behind_a_host(text: str, address: tuple[str | None, int]) -> None:
    """An IPv6 address stands in brackets, as in a URL."""
    assert parsed(text) == address
    assert address[0] is None or str(Address(*address)) == text  # type: ignore[arg-type]


async def test_server_hears_on_ipv6_as_well(database: Database, log: Log, log_lines: StringIO) -> None:
    """Where the machine does."""
    if not socket.has_ipv6:
        pytest.skip("this machine speaks no IPv6")
    async with served(make_worker(database.url, log, http_host="::1"), log_lines, working=False) as client:
        reader, writer = await asyncio.open_connection("::1", client.port)
        writer.write(UNFINISHED + b"\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        writer.close()
