"""Addresses that are not ours: each is refused as a wrong setting, in one line, without its password."""

import asyncpg
import pytest

from tests.conftest import StartWorker
from tests.support.database import Database, count
from tests.support.process import run_command
from worker import embedded
from worker.store import migrations

OF_OTHER_DRIVERS = ("pgbouncer=true", "connect_timeout=5", "schema=public", "channel_binding=prefer", "sslmode=perhaps")


@pytest.mark.parametrize("parameter", OF_OTHER_DRIVERS)
async def test_parameter_of_another_driver_exits_10(database: Database, parameter: str) -> None:
    """What another driver understands and we do not is a wrong setting, not an unreachable server."""
    status, _, err = await run_command(f"{database.url}&{parameter}", "check", startup_timeout_seconds=0)

    assert (status, err.count("\n")) == (10, 1), err
    assert "PGMEND_DATABASE_URL" in err


@pytest.mark.parametrize(
    "url", ["postgresql://ada:hunter2@[::1/app", "postgresql://ada:hunter2@db:port/app", "mysql://ada:hunter2@db/app"]
)
async def test_address_that_is_none_exits_10_and_is_not_shown(url: str) -> None:
    """A typing error in an address does not put its password on the screen."""
    status, out, err = await run_command(url, "check", startup_timeout_seconds=0)

    assert (status, err.count("\n")) == (10, 1), err
    assert "hunter2" not in out + err


async def test_listen_url_of_another_database_ends_the_worker_with_exit_10(empty_database: Database, start: StartWorker) -> None:
    """A bell that rings elsewhere is never heard: the worker says which setting is wrong, and writes nothing there."""
    elsewhere = await empty_database.connect()
    await migrations.apply(elsewhere, error_logs_table="public.error_logs")
    worker = await start(listen_url=empty_database.url)
    status = await worker.ended()

    assert (status, worker.stderr.count(b"\n")) == (10, 1), worker.stderr
    assert f"PGMEND_LISTEN_URL leads to another database: it is {empty_database.name} there".encode() in worker.stderr
    assert await count(elsewhere, "pgmend.workers") == 0


async def test_listen_url_of_another_server_ends_the_worker_with_exit_10(database: Database, start: StartWorker) -> None:
    """A database of the same name on another server is another one; nothing is written there."""
    with embedded.start() as elsewhere:
        other = await asyncpg.connect(elsewhere.url())
        await other.execute(f"create database {database.name}")
        await other.close()
        worker = await start(listen_url=elsewhere.url(database.name))
        status = await worker.ended()

    assert (status, worker.stderr.count(b"\n")) == (10, 1), worker.stderr
    assert b"PGMEND_LISTEN_URL leads to another database" in worker.stderr


async def test_listening_login_of_another_time_zone_is_in_the_same_database(database: Database, start: StartWorker) -> None:
    """What tells two databases apart reads the same in every session."""
    worker = await start(listen_url=f"{database.url}&options=-c%20timezone%3DAsia/Tokyo%20-c%20datestyle%3DGerman")
    listening = await worker.logged("listener_connected")

    assert listening["event"] == "listener_connected"
    assert worker.process.returncode is None


async def test_error_of_the_listening_connection_names_its_own_setting(database: Database, start: StartWorker) -> None:
    """Whoever corrects the address corrects the right one."""
    wrong = f"{database.url}&channel_binding=prefer"
    worker = await start(listen_url=wrong)
    status = await worker.ended()

    assert (status, worker.stderr.count(b"\n")) == (10, 1), worker.stderr
    assert b"PGMEND_LISTEN_URL is wrong" in worker.stderr
    assert b"PGMEND_DATABASE_URL" not in worker.stderr
