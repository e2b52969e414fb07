"""Workers that have ended: check, doctor and status say of each what became of it."""

import json
import signal

import pytest

from tests.conftest import StartWorker
from tests.support.database import Database, count
from tests.support.examined import checks, findings
from tests.support.process import run_command
from tests.support.waiting import eventually
from worker.store import observation, status, workers
from worker.store.connection import Connection
from worker.store.workers import Identity

OLDER = "update pgmend.workers set seen_at = seen_at - interval '6 minutes'"


async def test_after_a_clean_stop_check_doctor_and_status_say_that_it_stopped(database: Database, start: StartWorker) -> None:
    """It was told to stop, and nobody looks for a crash: not "never", and not "none"."""
    worker = await start()
    await worker.logged("listener_connected")
    worker.send(signal.SIGTERM)
    assert await worker.ended() == 0
    ended, _, err = await run_command(database.url, "check")
    _, found, _ = await run_command(database.url, "doctor", "--no-trial")
    _, seen, _ = await run_command(database.url, "status")

    assert (ended, "the last one stopped" in err) == (21, True), err
    assert "the last one stopped" in found
    assert ", stopped " in seen


async def test_killed_worker_is_silent_and_neither_listens_nor_stopped(
    database: Database, connection: Connection, start: StartWorker
) -> None:
    """The last thing it said is no longer so."""
    worker = await start()
    await eventually(lambda: count(connection, "pgmend.workers where listening"))
    await worker.kill()
    await connection.execute(OLDER)
    ended, _, err = await run_command(database.url, "check")
    _, seen, _ = await run_command(database.url, "status")
    _, shown, _ = await run_command(database.url, "status", "--json")

    assert (ended, "s ago, and has not said that it stops" in err) == (21, True), err
    assert (", SILENT, seen 6 min ago" in seen, "listening" in seen) == (True, False), seen
    assert [it["state"] for it in json.loads(shown)["workers"]] == ["silent"]


async def test_only_the_last_that_stopped_of_each_host_is_remembered(connection: Connection) -> None:
    """Restarts all day long leave one row a host; whoever works, or went silent today, keeps its own."""
    for name, host in (("a", "h"), ("b", "h"), ("c", "g"), ("busy", "h"), ("old", "x")):
        await workers.seen(connection, Identity(name, host, 1, "0"), listening=True)
    await connection.execute("update pgmend.workers set seen_at = now() - interval '2 days' where worker_id = 'old'")
    for name, host in (("a", "h"), ("c", "g"), ("b", "h")):
        await workers.gone(connection, Identity(name, host, 1, "0"))
    rows = await connection.fetch("select worker_id, stopped_at is not null from pgmend.workers order by 1")

    assert [tuple(row) for row in rows] == [("b", True), ("busy", False), ("c", True)]


async def test_worker_at_work_is_seen_beside_one_that_has_just_stopped(connection: Connection) -> None:
    """A rolling restart is no outage."""
    for name in ("at work", "gone"):
        await workers.seen(connection, Identity(name, "h", 1, "0"), listening=True)
    await workers.gone(connection, Identity("gone", "h", 1, "0"))
    last = await workers.last_seen(connection, "h")
    observed = await observation.look(connection)

    assert last.is_alive
    assert (observed.workers_alive, observed.workers_listening) == (1, 1)
    assert not (await workers.last_seen(connection, "elsewhere")).is_alive


@pytest.mark.parametrize(("silent_after", "state"), [(3600.0, "listening"), (10.0, "silent")])
async def test_worker_is_alive_for_as_long_as_its_own_heartbeats_say(
    database: Database, connection: Connection, silent_after: float, state: str
) -> None:
    """Whoever asks, with whatever settings of their own: check, doctor, status and metrics say the same."""
    await workers.seen(connection, Identity("slow", "h", 1, "0"), listening=True, silent_after=silent_after)
    await connection.execute("update pgmend.workers set seen_at = seen_at - interval '5 minutes'")
    is_alive = state == "listening"

    assert [it.state for it in (await status.seen(connection)).workers] == [state]
    assert (await observation.look(connection)).workers_alive == is_alive
    assert ("worker_not_seen" not in checks(await findings(database))) is is_alive
    assert ((await run_command(database.url, "check", "--any-host"))[0] == 0) is is_alive
