"""The HTTP server of a worker, in the worker's own loop: begins before the worker does and ends after it."""

import asyncio
import errno
import ipaddress
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from worker.errors import AddressUnavailableError
from worker.runtime.supervisor import Worker
from worker.web.address import Address
from worker.web.application import make_application
from worker.web.connections import Room
from worker.web.site import make_site

_SHUTDOWN_SECONDS = 1.0
_HINTS = {
    errno.EADDRINUSE: "another worker, or something else, serves there; say another one with --http or PGMEND_HTTP_PORT",
    errno.EACCES: "a port below 1024 takes a privilege; say another one with --http or PGMEND_HTTP_PORT",
    errno.EADDRNOTAVAIL: "this machine has no such address; PGMEND_HTTP_HOST is 127.0.0.1, 0.0.0.0, or one of its own",
}


@asynccontextmanager
async def serving(worker: Worker) -> AsyncIterator[None]:
    """Serve probes and metrics of a worker inside the block, if an address is set.

    Raises AddressUnavailableError before anything else is done. What goes wrong later is the server's own affair.
    """
    if worker.settings.http_port is None:
        yield
        return
    site = make_site(worker)
    runner = web.AppRunner(make_application(site), shutdown_timeout=_SHUTDOWN_SECONDS)
    await runner.setup()
    server = await _listen(runner, worker)
    looking = asyncio.ensure_future(site.observatory.run())
    try:
        yield
    finally:
        server.close()
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        await runner.cleanup()


async def _listen(runner: web.AppRunner, worker: Worker) -> asyncio.Server:
    address = Address(worker.settings.http_host, worker.settings.http_port or 0)
    assert runner.server is not None, "the runner was set up"
    try:
        server = await asyncio.get_running_loop().create_server(
            Room(runner.server, worker.log), address.host, address.port, backlog=_BACKLOG
        )
    except (OSError, UnicodeError) as error:
        await runner.cleanup()
        raise _refused(address, error) from error
    host, port = server.sockets[0].getsockname()[:2]
    worker.log.info("http_started", host=host, port=port)
    if worker.settings.http_token is None:
        _warn_of_an_open_door(worker, server)
    return server


def _warn_of_an_open_door(worker: Worker, server: asyncio.Server) -> None:
    """Say once that others than this machine can look in."""
    addresses = [str(it.getsockname()[0]).partition("%")[0] for it in server.sockets]
    if beyond := [it for it in addresses if not ipaddress.ip_address(it).is_loopback]:
        worker.log.warning(
            "http_unguarded",
            host=beyond[0],
            hint="whoever reaches it reads the metrics and the page, keys of users among them; "
            "let the network or a proxy keep others out, or serve on 127.0.0.1",
        )


_BACKLOG = 128


def _refused(address: Address, error: OSError | UnicodeError) -> AddressUnavailableError:
    number = getattr(error, "errno", None)
    known = os.strerror(number) if number in _HINTS and number is not None else str(error)
    hint = (
        "check PGMEND_HTTP_HOST"
        if isinstance(error, socket.gaierror | UnicodeError)
        else _HINTS.get(number or 0, "say another one")
    )
    return AddressUnavailableError(f"cannot serve on {address}", detail=known, hint=hint)
