"""The schema goes away beneath a worker: it ends, and says what has happened."""

from tests.conftest import StartWorker
from tests.support.database import Database, sign_up
from tests.support.process import run_command
from worker.store.connection import Connection

OFTEN: dict[str, object] = {"heartbeat_interval_seconds": 0.3, "poll_interval_seconds": 3600}


async def test_worker_ends_with_14_when_pgmend_is_uninstalled_beneath_it(
    database: Database, connection: Connection, start: StartWorker
) -> None:
    """The next heartbeat finds nothing to write to; what was healed stays healed."""
    worker = await start(**OFTEN)
    await worker.logged("listener_connected")
    await sign_up(connection)
    await worker.logged("express_batch_settled")
    assert (await run_command(database.url, "uninstall"))[0] == 0
    status = await worker.ended()

    assert (status, worker.stderr.count(b"\n")) == (14, 1), worker.stderr
    assert b"the schema pgmend is gone" in worker.stderr
    assert b"pgmend migrate" in worker.stderr
    assert await connection.fetchval("select count(*) from public.profiles") == 1


async def test_error_of_a_schema_that_is_there_keeps_its_own_words(connection: Connection, start: StartWorker) -> None:
    """Who took one table away is told which: the schema is not called gone."""
    worker = await start(**OFTEN)
    await worker.logged("listener_connected")
    await connection.execute("drop table pgmend.workers")
    status = await worker.ended()

    assert status == 1
    assert b'relation "pgmend.workers" does not exist' in worker.stderr
