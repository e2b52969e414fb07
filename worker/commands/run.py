"""``pgmend run``: the worker."""

import argparse
import asyncio
import os
import socket
import sys
import uuid

import asyncpg

from worker import __version__, settings
from worker.commands import Commands
from worker.core.meters import Meters
from worker.core.vitals import Vitals
from worker.errors import NotMigratedError, PgmendError
from worker.log import make_log
from worker.outlet import Outlet
from worker.runtime.reconnecting import LostConnectionError, connect_patiently
from worker.runtime.stopping import Stop
from worker.runtime.supervisor import Worker
from worker.store import migrations, sources
from worker.store.connection import close, connect
from worker.store.workers import Identity
from worker.telemetry import make_tracing
from worker.web import address

SIGNAL_EXIT_BASE = 128
_MIGRATE_AGAIN = "somebody has uninstalled it while this worker ran: pgmend migrate makes it anew"

EXAMPLES = """\
examples:
  pgmend run                        until SIGTERM; two of them are no harm
  pgmend run --http 8080            with probes, metrics and the page on this machine
  pgmend run --http 0.0.0.0:8080    the same for everybody who reaches it
"""


def add_parsers(commands: Commands) -> None:
    """Add ``run``."""
    parser = commands.add_parser(
        "run",
        help="run the worker until SIGTERM or SIGINT",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--http", type=_address, metavar="[HOST:]PORT", help="serve probes, metrics and the page there; over PGMEND_HTTP_PORT"
    )
    parser.set_defaults(run=_run)


def _address(text: str) -> dict[str, object]:
    try:
        host, port = address.parsed(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no [HOST:]PORT") from error
    return {"http_port": port} | ({"http_host": host} if host else {})


def _run(options: argparse.Namespace) -> int:
    effective = settings.load(options.http)
    identity = make_identity()
    meters, vitals = Meters(), Vitals()
    outlet = Outlet(sys.stdout, vitals, meters)
    log = make_log(level=effective.log_level, log_format=effective.log_format, worker_id=identity.worker_id, stream=outlet)
    tracing = make_tracing(os.environ, log, identity)
    try:
        return asyncio.run(run(Worker(effective, identity, log, Stop(), meters, vitals, tracing)))
    finally:
        outlet.finish()


def make_identity() -> Identity:
    """Return a name that no other worker has, readable in logs."""
    host = socket.gethostname()
    return Identity(f"{host}-{os.getpid()}-{uuid.uuid4().hex[:6]}", host, os.getpid(), __version__)


async def run(worker: Worker) -> int:
    """Check that the database is ready for this version, then work until a signal ends it."""
    from worker.web.server import serving  # noqa: PLC0415 - every other command would wait for the web server to be imported

    effective, log = worker.settings, worker.log
    worker.listen_to_signals(on_second=lambda number: os._exit(SIGNAL_EXIT_BASE + number))
    async with serving(worker):
        try:
            within = effective.startup_timeout_seconds
            connection = await connect_patiently(effective.target, log, within=within, stop=worker.stop)
        except LostConnectionError:  # stopped before it began
            return 0
        try:
            await migrations.require_current(connection)
            if not await sources.statuses(connection):
                log.warning("nothing_attached", hint="pgmend attach says how; until then there is nothing to heal")
        finally:
            await close(connection)
        try:
            await worker.run()
        except PgmendError as error:
            if isinstance(error.__cause__, asyncpg.PostgresError):
                await _require_schema(worker)
            raise
    return 0


async def _require_schema(worker: Worker) -> None:
    """Say so if the schema is gone, which every statement would put in words of its own."""
    try:
        connection = await connect(worker.settings.target)
    except PgmendError:
        return  # then the error that there was says more
    try:
        await migrations.require_current(connection)
    except NotMigratedError as error:
        raise NotMigratedError(
            "the schema pgmend is gone, or another one has taken its place", detail=error.detail, hint=_MIGRATE_AGAIN
        ) from error
    finally:
        await close(connection)
