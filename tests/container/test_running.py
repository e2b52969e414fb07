"""The image at work: any user, a read-only root file system, no capability, a real database."""

import asyncio
import signal
from pathlib import Path

import pytest

from tests.support.container import ANY_USER, Containers
from tests.support.database import Database, count, sign_up
from tests.support.waiting import eventually
from tests.support.workload import settled
from worker.store.statements import statement

WAITING = """
    select from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and query like '%pg_try_advisory_xact_lock%'
    having count(*) = 2
"""


def facts(process: int) -> dict[str, str]:
    """Return what the kernel says of a process."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return {name: " ".join(value.split()) for name, _, value in (line.partition(":") for line in lines)}


@pytest.fixture
def url(database: Database) -> str:
    """The test's database by loopback, which a container shares with the tests."""
    return database.cluster.url(database.name, tcp=True)


async def test_container_migrates_an_empty_database_and_works_on_it(containers: Containers, empty_database: Database) -> None:
    """With nothing but an address: `migrate` ends with 0, so does a second one, and `run` becomes a worker."""
    url = empty_database.cluster.url(empty_database.name, tcp=True)
    answers = [await (await containers.start_command("migrate", url=url)).communicate() for _ in range(2)]
    worker = await containers.start(url)
    await worker.logged("listener_connected")

    assert b"applied 0001_schema" in answers[0][0]
    assert answers[1] == (b"nothing to do: the database is migrated\n", b"")
    connection = await empty_database.connect()
    assert await eventually(lambda: count(connection, "pgmend.workers")) == 1


async def test_container_has_no_right_and_stops_gracefully(containers: Containers, database: Database, url: str) -> None:
    """As a user that nobody knows it heals a sign-up; at SIGTERM process 1 ends with status 0 and takes its leave."""
    connection = await database.connect()
    worker = await containers.start(url)
    await worker.logged("listener_connected")
    await sign_up(connection)
    await settled(connection)
    (only,) = await containers.processes()
    seen = facts(only)
    await containers.send(signal.SIGTERM)

    assert await worker.ended(within=10) == 0
    assert await count(connection, "public.profiles") == 1
    assert await count(connection, "pgmend.workers where stopped_at is null") == 0
    assert seen["Uid"] == " ".join([str(ANY_USER)] * 4)
    assert seen["NSpid"].split()[-1] == "1"
    assert {seen[kind] for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}


async def test_container_cannot_write_anywhere(containers: Containers, url: str) -> None:
    """The root file system is read-only to it, /tmp included, and the worker wants nothing else."""
    worker = await containers.start(url)
    await worker.logged("listener_connected")
    for folder in ("/tmp", "/opt/pgmend", "/var/tmp", "/run"):  # noqa: S108 - inside
        status, said = await containers.execute("python", "-c", f"open('{folder}/x', 'w')")
        assert status == 1
        assert "Read-only file system" in said


async def test_health_check_of_the_image_tells_a_worker_from_none(containers: Containers, database: Database, url: str) -> None:
    """The command that the image names is healthy beside a worker, and not once its heartbeat is gone."""
    check = containers.image.config["Healthcheck"]["Test"][1:]
    worker = await containers.start(url, heartbeat_interval_seconds=3600)
    await worker.logged("listener_connected")
    healthy = await containers.execute(*check)
    await (await database.connect()).execute("delete from pgmend.workers")
    sick = await containers.execute(*check)

    assert healthy[0] == 0
    assert sick[0] not in {0, 1}
    assert "none is known" in sick[1]


async def test_processes_started_inside_leave_no_zombie(containers: Containers, url: str) -> None:
    """Health checks come and go as children of the runtime: after three of them process 1 is alone."""
    worker = await containers.start(url)
    await worker.logged("listener_connected")
    statuses = [(await containers.execute("pgmend", "--version"))[0] for _ in range(3)]

    assert statuses == [0] * 3
    assert len(await containers.processes()) == 1


async def test_migrate_as_process_one_ends_at_sigterm(containers: Containers, database: Database, url: str) -> None:
    """The kernel hands process 1 only signals that it handles: a migration that waits for a lock still ends when told to."""
    holder, watcher = await database.connect(), await database.connect()
    await holder.execute("begin")
    await holder.fetchval(statement("migrations/lock"))
    migrating = await containers.start_command("migrate", url=url)
    await eventually(lambda: count(watcher, f"({WAITING}) as waiting"))
    await containers.send(signal.SIGTERM)

    async with asyncio.timeout(2):
        assert await migrating.wait() == 128 + signal.SIGTERM


async def test_refusal_is_one_line_and_an_exit_status(containers: Containers, empty_database: Database) -> None:
    """A worker that meets a database without pgmend says what to do, and ends: an orchestrator starts it again."""
    worker = await containers.start(empty_database.cluster.url(empty_database.name, tcp=True))

    assert await worker.ended() == 14
    assert worker.stderr.decode().strip().endswith("run pgmend migrate")
