"""Connections of HTTP clients: few, short-lived, and the oldest makes room, so that slow clients keep nobody else out."""

import asyncio
import logging
from typing import Any

from aiohttp import web

from worker.log import Log, redacted

MOST_CONNECTIONS = 100
LONGEST_CONNECTION_SECONDS = 60.0
_LONGEST_GOODBYE_SECONDS = 30.0
_LARGEST_LINE = 8190
_MOST_HEADERS = 64

SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Server": "pgmend",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""What every answer says, unless a handler has said otherwise."""


class Connection(web.RequestHandler):
    """One client's connection."""

    __slots__ = ("_ends", "_room", "is_old")

    def __init__(self, room: "Room", manager: web.Server, **limits: Any) -> None:
        """Belong to a room."""
        super().__init__(manager, **limits)
        self._room = room
        self.is_old = False
        """Whether its next answer is to be its last."""
        self._ends: list[asyncio.TimerHandle] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a place in the room, for a while."""
        loop = asyncio.get_running_loop()
        self._ends = [
            loop.call_later(LONGEST_CONNECTION_SECONDS, self._grow_old),
            loop.call_later(LONGEST_CONNECTION_SECONDS + _LONGEST_GOODBYE_SECONDS, self.abort),
        ]
        self._room.enter(self)
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Leave the room."""
        for end in self._ends:
            end.cancel()
        self._room.leave(self)
        super().connection_lost(exc)

    def _grow_old(self) -> None:
        self.is_old = True

    def abort(self) -> None:
        """End it, whatever is under way."""
        if isinstance(self.transport, asyncio.Transport):
            self.transport.abort()

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """Answer what is no request, or what no handler has caught. Says nothing of what the client sent."""
        response = super().handle_error(request, status, exc, message="the request cannot be read\n" if message else None)
        response.headers.update(SECURITY_HEADERS)
        return response


class Room:
    """All connections of one server."""

    def __init__(self, manager: web.Server, log: Log) -> None:
        """Begin empty."""
        self._manager = manager
        self._logger = _Forwarding(log)
        self._present: dict[Connection, None] = {}

    def __call__(self) -> Connection:
        """Return what handles one more connection."""
        return Connection(
            self,
            self._manager,
            loop=asyncio.get_running_loop(),
            logger=self._logger,
            access_log=None,
            keepalive_timeout=LONGEST_CONNECTION_SECONDS,
            lingering_time=0.0,
            max_line_size=_LARGEST_LINE,
            max_field_size=_LARGEST_LINE,
            max_headers=_MOST_HEADERS,
        )

    def enter(self, connection: Connection) -> None:
        """Let one in; the one that has been there longest goes if there are too many."""
        if len(self._present) >= MOST_CONNECTIONS:
            oldest = next(iter(self._present))
            self.leave(oldest)
            oldest.abort()
        self._present[connection] = None

    def leave(self, connection: Connection) -> None:
        """Forget one that has gone."""
        self._present.pop(connection, None)


class _Forwarding(logging.Logger):
    """A logger, known to nobody else, whose errors become lines of our log."""

    def __init__(self, log: Log) -> None:
        super().__init__("worker.web", logging.WARNING)
        self._log_lines = log

    def handle(self, record: logging.LogRecord) -> None:
        """Write one line; a client that sends no HTTP is no news."""
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and not isinstance(error, web.HTTPException) and type(error).__module__ != "aiohttp.http_exceptions":
            self._log_lines.warning("request_failed", reason=redacted(f"{type(error).__name__}: {error}"))
