"""A TCP proxy in front of the server that can do what networks do: hang, cut, and lose notifications."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

_NOTIFICATION = b"A"
_HEADER = 5
_CHUNK = 65_536


class Proxy:
    """Forwards connections to one address. Speaks the protocol only as far as to tell the server's messages apart."""

    def __init__(self, host: str, port: int) -> None:
        """Forward to ``host:port`` once started."""
        self.drops_notifications = False
        """Lose every NotificationResponse, as a transaction pooler does."""
        self.cuts_new_connections = False
        """Cut every new connection in the middle of its handshake."""
        self.hides_closing = False
        """Keep the client's socket open when the server has closed its own."""
        self.dropped = 0
        """How many notifications were lost."""
        self.cut_handshakes = 0
        """How many connections were cut in their handshake."""
        self._upstream = (host, port)
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._open: set[asyncio.StreamWriter] = set()
        self._connections: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Accept connections on a free port."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)

    @property
    def port(self) -> int:
        """Return the port that clients connect to."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def connections(self) -> int:
        """Return how many clients are connected."""
        return len(self._connections)

    def blackhole(self) -> None:
        """Forward nothing any more, and keep every socket open: nobody is told."""
        self._flowing.clear()

    def flow(self) -> None:
        """Forward again, what was held back first."""
        self._flowing.set()

    def cut(self) -> None:
        """Break every open connection, as a crashed router does."""
        for writer in self._open:
            writer.transport.abort()

    async def stop(self) -> None:
        """Cut everything and listen no more."""
        assert self._server is not None
        self._server.close()
        self.cut()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._server.wait_closed()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._forward(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _forward(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        writers = {to_client}
        try:
            server, to_server = await asyncio.open_connection(*self._upstream)
            writers.add(to_server)
            self._open |= writers
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(_chunks(client), to_server))
                group.create_task(self._pump(self._heard(server), to_client))
        except* (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._open -= writers
            await abort(*writers)

    async def _pump(self, pieces: AsyncIterator[bytes], writer: asyncio.StreamWriter) -> None:
        async for piece in pieces:
            await self._flowing.wait()
            writer.write(piece)
            await writer.drain()
        if self.hides_closing:
            await asyncio.get_running_loop().create_future()
        raise ConnectionResetError  # one side has closed: close the other

    async def _heard(self, server: asyncio.StreamReader) -> AsyncIterator[bytes]:
        """Yield the server's messages but those that are to be lost."""
        if self.cuts_new_connections:
            self.cut_handshakes += 1
            await server.readexactly(_HEADER)
            return
        with suppress(asyncio.IncompleteReadError):
            while True:
                header = await server.readexactly(_HEADER)
                body = await server.readexactly(int.from_bytes(header[1:], "big") - 4)
                if self.drops_notifications and header.startswith(_NOTIFICATION):
                    self.dropped += 1
                else:
                    yield header + body


async def abort(*writers: asyncio.StreamWriter) -> None:
    """Break connections, and wait until they are: what a loop leaves behind is found in the middle of another test."""
    for writer in writers:
        writer.transport.abort()
    await asyncio.gather(*(writer.wait_closed() for writer in writers), return_exceptions=True)


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while piece := await reader.read(_CHUNK):
        yield piece
