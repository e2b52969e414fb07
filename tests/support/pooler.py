"""A transaction pooler: every client has two server connections, and each transaction goes to the other one."""

import asyncio
from contextlib import suppress

from tests.support.proxy import abort

_READY = b"Z"
_NOTIFICATION = b"A"
_IDLE = b"I"


class TransactionPooler:
    """Speaks the protocol as far as to know when a transaction has ended. Carries no prepared statement, and no notification."""

    def __init__(self, socket: str) -> None:
        """Forward to the server behind a unix socket, which asks for no password, once started."""
        self._socket = socket
        self._clients: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Accept connections on a free port."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)

    @property
    def port(self) -> int:
        """Return the port that clients connect to."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Cut everything and listen no more."""
        assert self._server is not None
        self._server.close()
        for task in self._clients:
            task.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)
        await self._server.wait_closed()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._clients.add(task)
        task.add_done_callback(self._clients.discard)

    async def _serve(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        servers: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        turn = _Turn()
        try:
            servers += [await asyncio.open_unix_connection(self._socket) for _ in range(2)]
            await self._log_in(client, to_client, servers)
            async with asyncio.TaskGroup() as group:
                for reader, _ in servers:
                    group.create_task(_answers(reader, to_client, turn))
                group.create_task(_questions(client, [writer for _, writer in servers], turn))
        except* (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            await abort(to_client, *(writer for _, writer in servers))

    async def _log_in(
        self,
        client: asyncio.StreamReader,
        to_client: asyncio.StreamWriter,
        servers: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]],
    ) -> None:
        length = await client.readexactly(4)
        startup = length + await client.readexactly(int.from_bytes(length, "big") - 4)
        for number, (reader, writer) in enumerate(servers):
            writer.write(startup)
            kind = b""
            while kind != _READY:
                kind, message = await _message(reader)
                if number == 0:
                    to_client.write(message)


class _Turn:
    """Which of the two servers gets the next transaction."""

    server = 0


async def _questions(client: asyncio.StreamReader, servers: list[asyncio.StreamWriter], turn: _Turn) -> None:
    with suppress(asyncio.IncompleteReadError):
        while True:
            _, message = await _message(client)
            servers[turn.server].write(message)
    raise ConnectionResetError  # the client has closed


async def _answers(server: asyncio.StreamReader, to_client: asyncio.StreamWriter, turn: _Turn) -> None:
    while True:
        kind, message = await _message(server)
        if kind == _READY and message[5:6] == _IDLE:
            turn.server = 1 - turn.server
        if kind != _NOTIFICATION:
            to_client.write(message)


async def _message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    header = await reader.readexactly(5)
    return header[:1], header + await reader.readexactly(int.from_bytes(header[1:], "big") - 4)
