"""The command line: every refusal is one line with a hint and an exit status of its own."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.conftest import StartWorker
from tests.support.broken import CONDITION
from tests.support.database import Database, count, sign_up
from tests.support.process import environment, run_command
from tests.support.proxy import Proxy
from tests.support.waiting import eventually
from worker.embedded import Cluster
from worker.pipeline import Path, turn

DEAD_LETTER = """
    insert into pgmend.dead_letters (event_id, source_id, kind, user_key, created_at, attempts, verdict, sqlstate, message, hint)
    values (1, 1, 'user_created', gen_random_uuid()::text, now(), 1, 'needs_recipe', '23514', '', '')
"""
HERE = "postgresql://nobody@127.0.0.1:1/nothing"


async def refused(url: str, *command: str, **settings: object) -> tuple[int, str]:
    """Run a command that is refused; return its exit status and its one line."""
    status, out, err = await run_command(url, *command, **{"startup_timeout_seconds": 0, **settings})
    assert out == "" or out.startswith("{")
    assert err.count("\n") == 1, err
    assert err.startswith("pgmend: ")
    assert " -> " in err
    return status, err


@pytest.fixture
async def stranger(cluster: Cluster, database: Database) -> AsyncIterator[str]:
    """The address of the test's database for a role without any right on pgmend."""
    admin = await asyncpg.connect(cluster.url())
    await admin.execute("create role stranger login password 'pw'")
    yield f"postgresql://stranger:pw@127.0.0.1:{cluster.port}/{database.name}"
    await admin.execute("drop role stranger")
    await admin.close()


class AgedProxy(Proxy):
    """Hands everything through, but for the version that the server tells."""

    async def _heard(self, server: asyncio.StreamReader) -> AsyncIterator[bytes]:
        async for message in super()._heard(server):
            name, _, version = message[5:].partition(b"\0")
            if message.startswith(b"S") and name == b"server_version":
                yield message.replace(version, b"13.9".ljust(len(version) - 1) + b"\0")
            else:
                yield message


@pytest.fixture
async def aged_server(cluster: Cluster, database: Database) -> AsyncIterator[str]:
    """The address of the test's database on a server that says that it is Postgres 13."""
    proxy = AgedProxy("127.0.0.1", cluster.port)
    await proxy.start()
    yield cluster.url(tcp=True).replace(f":{cluster.port}/postgres", f":{proxy.port}/{database.name}") + "?sslmode=disable"
    await proxy.stop()


async def test_missing_url_exits_10() -> None:
    """Without an address nothing is tried."""
    assert (await refused("", "run"))[0] == 10


async def test_unreachable_server_exits_11() -> None:
    """A server that is not there is named as such, for every command."""
    for command in ("run", "migrate", "check", "uninstall", "doctor"):
        status, line = await refused(HERE, command)
        assert (status, "cannot be reached" in line) == (11, True), line


async def test_wrong_password_exits_12_and_is_not_shown(stranger: str) -> None:
    """The error says that the login was refused, and does not repeat the password."""
    status, line = await refused(stranger.replace(":pw@", ":wrong@"), "run")

    assert status == 12
    assert "wrong@" not in line


async def test_missing_privilege_exits_13(stranger: str) -> None:
    """A role without rights on the schema is told what to grant."""
    status, line = await refused(stranger, "run")

    assert status == 13
    assert "pgmend_worker" in line


async def test_database_that_is_not_migrated_exits_14(empty_database: Database) -> None:
    """The hint is the command that helps."""
    status, line = await refused(empty_database.url, "run")

    assert status == 14
    assert "run pgmend migrate" in line


async def test_newer_schema_exits_15(database: Database) -> None:
    """An old worker on a new schema stops before it touches anything."""
    connection = await database.connect()
    await connection.execute("insert into pgmend.migrations (version, name, sha256) values (9999, '9999_later', 'x')")

    assert (await refused(database.url, "run"))[0] == 15


async def test_server_older_than_14_exits_16(aged_server: str) -> None:
    """A server that introduces itself as Postgres 13 is refused by number."""
    status, line = await refused(aged_server, "run")

    assert status == 16, line
    assert "Postgres 13" in line


async def test_drift_exits_17(database: Database) -> None:
    """A migration that was edited after it was applied is refused by migrate, and status says so too."""
    connection = await database.connect()
    await connection.execute("update pgmend.migrations set sha256 = 'other' where version = 1")

    assert (await refused(database.url, "migrate"))[0] == 17
    assert (await refused(database.url, "migrate", "--status"))[0] == 17


async def test_foreign_error_logs_exits_18(empty_database: Database) -> None:
    """The line names the difference and the setting that helps."""
    connection = await empty_database.connect()
    await connection.execute("create table public.error_logs (id int)")
    status, line = await refused(empty_database.url, "migrate")

    assert status == 18
    assert "PGMEND_ERROR_LOGS_TABLE" in line


async def test_uninstall_where_nothing_is_says_so(empty_database: Database) -> None:
    """Nobody who has mistaken the database is told that something was removed."""
    status, said, _ = await run_command(empty_database.url, "uninstall")

    assert (status, said) == (0, "pgmend is not installed in this database\n")


async def test_uninstall_with_captured_rows_exits_19(database: Database) -> None:
    """Captured rows are not dropped unless that is said."""
    connection = await database.connect()
    key = await sign_up(connection)
    await connection.execute(
        "select pgmend.insert_or_park('public.orders', jsonb_build_object('user_id', $1::text, 'amount', 1))", key
    )

    assert (await refused(database.url, "uninstall"))[0] == 19
    assert (await run_command(database.url, "uninstall", "--discard-events"))[0] == 0


async def test_check_exits_21_without_a_worker_and_0_with_one(database: Database, start: StartWorker) -> None:
    """The container's health check sees the worker's heartbeat."""
    assert (await refused(database.url, "check"))[0] == 21
    worker = await start()
    await worker.logged("listener_connected")

    async def seen() -> bool:
        return (await run_command(database.url, "check"))[0] == 0

    await eventually(seen)


async def test_dry_run_and_status_change_nothing(empty_database: Database) -> None:
    """What would be applied is said, and nothing is."""
    status, out, _ = await run_command(empty_database.url, "migrate", "--dry-run")
    connection = await empty_database.connect()

    assert (status, "would apply 0001_schema" in out) == (0, True)
    assert "pending  0001_schema" in (await run_command(empty_database.url, "migrate", "--status"))[1]
    assert await connection.fetchval("select to_regnamespace('pgmend') is null")


async def test_config_masks_every_secret() -> None:
    """The effective settings are printed, the address without its password."""
    status, out, _ = await run_command("postgresql://app:hunter2@db/app", "config", "--json", consumers=2)

    assert status == 0
    assert json.loads(out)["consumers"] == 2
    assert json.loads(out)["database_url"] == "postgresql://app:********@db/app"
    assert "hunter2" not in out


async def test_worker_heals_a_sign_up_and_stops_cleanly(database: Database, start: StartWorker) -> None:
    """A real process, from the first line to exit status 0 at SIGTERM."""
    connection = await database.connect()
    worker = await start(poll_interval_seconds=3600, sweep_interval_seconds=3600)
    await worker.logged("listener_connected")
    await sign_up(connection)

    async def healed() -> bool:
        return await count(connection, "public.profiles") == 1

    await eventually(healed)
    worker.process.terminate()

    assert await worker.ended() == 0
    assert worker.lines[-1]["event"] == "worker_stopped"
    assert await count(connection, "pgmend.workers where stopped_at is null") == 0


async def test_source_is_paused_and_resumed_by_a_person(database: Database) -> None:
    """Both say what they changed, a second time that there was nothing to do, and the reason stands beside the source."""
    connection = await database.connect()

    paused = await run_command(database.url, "pause", "--reason", "a bad migration")
    reason = await connection.fetchval("select paused_because from pgmend.profile_sources")
    again = await run_command(database.url, "pause", "--reason", "another")
    resumed = await run_command(database.url, "resume", "--source", "1")

    assert paused == (0, "paused source 1 (users)\n", "")
    assert reason == "a bad migration"
    assert again == (0, "nothing to do: no source had to be paused\n", "")
    assert resumed == (0, "resumed source 1 (users)\n", "")


async def test_resume_makes_what_waits_due_also_where_nothing_was_paused(database: Database, path: Path) -> None:
    """A cause that was mended elsewhere ends no back-off by itself; a person who knows of it does."""
    connection = await database.connect()
    await sign_up(connection)
    await connection.execute(CONDITION)
    await turn(path)
    await connection.execute(
        "alter table public.users rename column removed_at to deleted_at;"
        "update pgmend.careful_events set available_at = now() + interval '5 minutes'"
    )

    assert await run_command(database.url, "resume") == (0, "1 waiting event of source 1 due now\n", "")
    again = await run_command(database.url, "resume")
    await turn(path)

    assert again[1] == "nothing to do: no source had to be resumed, and no event waits for its next attempt\n"
    assert await count(connection, "public.profiles") == 1


async def test_source_that_does_not_exist_exits_22(database: Database) -> None:
    """A wrong id is told, not passed over."""
    assert (await refused(database.url, "resume", "--source", "7"))[0] == 22


async def test_full_disk_is_no_server_out_of_reach() -> None:
    """What cannot be written is said so, in one line."""
    command = f"{sys.executable} -m worker sql > /dev/full"
    process = await asyncio.create_subprocess_exec("bash", "-c", command, stdout=PIPE, stderr=PIPE)
    async with asyncio.timeout(60):
        _, err = await process.communicate()

    assert (process.returncode, err.count(b"\n")) == (1, 1), err
    assert err.startswith(b"pgmend: the output cannot be written: No space left on device -> free space")


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("check 2>/dev/full", 21),
        ("check 2>&-", 21),
        ("nonsense 2>/dev/full", 2),
        ("status --json >&-", 0),
        ("status >&- 2>&-", 0),
        ("dead-letters discard --all --yes 2>/dev/full", 0),
        ("dead-letters discard 1 <&-", 46),
        ("heal --all --json 2>/dev/full", 0),
    ],
)
async def test_stream_that_takes_nothing_decides_on_no_exit_status(
    database: Database, connection: asyncpg.Connection, command: str, status: int
) -> None:
    """What is said of a command is lost; what the command has done, or refused, stands."""
    await connection.execute(DEAD_LETTER)
    run = f"{sys.executable} -m worker {command}"
    process = await asyncio.create_subprocess_exec("bash", "-c", run, env=environment(database.url), stdout=PIPE, stderr=PIPE)
    async with asyncio.timeout(60):
        _, err = await process.communicate()

    assert (process.returncode, b"Traceback" in err) == (status, False), err
    assert await count(connection, "pgmend.dead_letters") == (0 if "--yes" in command else 1)


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
async def test_worker_without_streams_heals(database: Database, connection: asyncpg.Connection, closed: str) -> None:
    """A stream that was closed before the start goes nowhere, and no connection takes its number."""
    command = f"exec {sys.executable} -m worker run {closed}"
    process = await asyncio.create_subprocess_exec("bash", "-c", command, env=environment(database.url), stdout=PIPE, stderr=PIPE)
    await sign_up(connection)

    async def healed() -> bool:
        return await count(connection, "public.profiles") == 1

    await eventually(healed)
    process.terminate()
    async with asyncio.timeout(60):
        await process.communicate()

    assert process.returncode == 0


async def test_reader_that_goes_away_is_no_server_out_of_reach() -> None:
    """`pgmend sql | head -1` prints its line, and no complaint."""
    command = f"set -o pipefail; {sys.executable} -m worker sql | head -1"
    process = await asyncio.create_subprocess_exec("bash", "-c", command, stdout=PIPE, stderr=PIPE)
    async with asyncio.timeout(60):
        out, err = await process.communicate()

    assert (out, err, process.returncode) == (b"begin;\n", b"", 141)
