"""Two to eight workers on one outbox: every effect exactly once, no event handled twice, no worker in another's way."""

import asyncio
import signal

import pytest

from tests.conftest import StartWorker
from tests.support.process import WorkerProcess
from tests.support.workload import broken_promises, make_admin, no_grace, play, settled
from worker.store.connection import Connection

ROUNDS = 150
CROWDS_MAY_VANISH = "update pgmend.limits set unexpected_users = 1000"
"""Each round deletes a user of whom a row is captured; so many at once would pause the source (decision 0015)."""

SMALL_BATCHES = {"express_batch_size": 50, "careful_batch_size": 10}


@pytest.mark.parametrize(("workers", "consumers"), [(2, 1), (8, 1), (1, 4)])
async def test_workers_side_by_side_handle_every_event_once(
    connection: Connection, start: StartWorker, workers: int, consumers: int
) -> None:
    """However many drain two thousand mixed events, the logs account for each one once, and all promises hold."""
    await no_grace(connection)
    await connection.execute(CROWDS_MAY_VANISH)
    await make_admin(connection)
    await play(connection, rounds=ROUNDS)

    running = await asyncio.gather(*(start(consumers=consumers, **SMALL_BATCHES) for _ in range(workers)))
    await settled(connection)
    for worker in running:
        worker.send(signal.SIGTERM)

    assert [await worker.ended() for worker in running] == [0] * workers
    assert await broken_promises(connection) == []
    last_event_id = await connection.fetchval("select last_value from pgmend.event_ids")
    assert sum(_handled(worker) for worker in running) == last_event_id


def _handled(worker: WorkerProcess) -> int:
    """Return how many events the worker says it has finished."""
    express: int = sum(
        line["healed"] + line["already_whole"] for line in worker.lines if line["event"] == "express_batch_settled"
    )
    erased: int = sum(line["erased"] for line in worker.lines if line["event"] == "pruning_finished")
    finished = {"event_settled", "event_acknowledged", "event_dead_lettered"}
    return express + erased + sum(line["event"] in finished for line in worker.lines)
