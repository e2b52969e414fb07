"""A private Postgres cluster: start it, get its address, restart it, stop it and leave nothing behind."""

import secrets
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from worker.embedded import creation, farm, server, workspace
from worker.embedded.account import Account, can_run, server_account
from worker.embedded.binaries import Binaries, find
from worker.embedded.errors import EmbeddedError
from worker.embedded.server import StopMode
from worker.embedded.workspace import Workspace

SOCKET_PORT = 5432
DEFAULTS = {"cluster_name": "pgmend embedded", "max_connections": "200"}


def start(
    binaries: Binaries | None = None,
    *,
    durable: bool = False,
    listen: bool = False,
    settings: Mapping[str, str] | None = None,
) -> "Cluster":
    """Create and start a cluster, on the best Postgres there is if none is given.

    durable: keep fsync, synchronous_commit and full_page_writes on, as a production server has them.
    listen: accept connections on a free loopback port too, with a password; see `Cluster.url(tcp=True)`.
    settings: more server settings, which win over ours.

    Call it from the main thread. Raises EmbeddedError.
    """
    chosen = binaries or find()
    account = server_account()
    place = workspace.create(account)
    try:
        reachable = chosen if can_run(account, chosen.bin_dir / "initdb") else farm.plant(chosen, place.root / "pg")
        cluster = Cluster(reachable, place, account, port=server.free_port() if listen else SOCKET_PORT)
        creation.create_data(reachable, place, account, cluster.password)
        base = DEFAULTS | cluster.addresses(listen=listen) | ({} if durable else creation.FAST)
        creation.write_settings(place, {**base, **(settings or {})})
        cluster.launch()
    except BaseException:
        place.remove()
        raise
    return cluster


class Cluster:
    """A running private server. Use it as a context manager, or call `stop`; else the next `start` clears it away."""

    def __init__(self, binaries: Binaries, place: Workspace, account: Account, *, port: int) -> None:
        """Hold what a start prepared; `start` makes these."""
        self.binaries = binaries
        self.port = port
        self.password = secrets.token_hex(16)
        self._place = place
        self._account = account
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def host(self) -> str:
        """The folder of the unix socket, which clients take as a host name."""
        return str(self._place.sockets)

    @property
    def data_dir(self) -> Path:
        """The data of the cluster."""
        return self._place.data

    @property
    def log_file(self) -> Path:
        """What the server prints; gone after `stop`."""
        return self._place.log

    @property
    def pid(self) -> int:
        """The process id of the server now; a restart changes it."""
        return self._running().pid

    def url(self, database: str = "postgres", user: str = "postgres", *, tcp: bool = False) -> str:
        """Give the address of a database, over the unix socket or, for `postgres` with `listen`, over TCP."""
        path = quote(database, safe="")
        if tcp:
            return f"postgresql://{quote(user, safe='')}:{self.password}@127.0.0.1:{self.port}/{path}"
        return f"postgresql://{quote(user, safe='')}@/{path}?host={quote(self.host)}&port={self.port}"

    def addresses(self, *, listen: bool) -> dict[str, str]:
        """Give the settings that say where the server listens."""
        return {
            "listen_addresses": "127.0.0.1" if listen else "",
            "port": str(self.port),
            "unix_socket_directories": self.host,
        }

    def launch(self) -> None:
        """Start the server process and wait until it answers; `start` and `restart` call it."""
        process = server.launch(self.binaries, self._place, self._account)
        try:
            server.await_ready(process, self._place, self.port)
        except BaseException:
            server.halt(process, "immediate")
            raise
        self._process = process

    def answers(self) -> bool:
        """Say whether the server accepts a session now."""
        return server.answers(self._place, self.port)

    def wait(self) -> int:
        """Wait until the server ends by itself or by another's hand; give its exit status."""
        return self._running().wait()

    def restart(self, mode: StopMode = "immediate") -> None:
        """Stop the server, by default as a crash would, and start it again with the same data and addresses."""
        self.halt(mode)
        self.launch()

    def halt(self, mode: StopMode = "fast") -> None:
        """Stop the server and keep its data: an outage, until `launch`."""
        process, self._process = self._running(), None
        server.halt(process, mode)

    def stop(self, mode: StopMode = "fast") -> None:
        """Stop the server and remove everything that belonged to it. A second call does nothing."""
        if self._process is not None:
            self.halt(mode)
        if self._place.root.exists():
            self._place.remove()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise EmbeddedError("the private server is stopped", hint="start it first")
        return self._process

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop("fast" if kind is None else "immediate")
