"""A paused source costs a worker nothing while it is paused."""

from tests.support.database import count, sign_up
from tests.support.workload import report_order
from worker import pipeline
from worker.pipeline import Path
from worker.store.connection import Connection


async def test_worker_sleeps_while_all_that_waits_belongs_to_a_paused_source(connection: Connection, path: Path) -> None:
    """Neither lane says that something is due: the next look is the poll's, or the bell's, not in a quarter of a second."""
    await connection.execute("select pgmend.pause_source(1, 'a person looks')")
    await report_order(connection, await sign_up(connection))

    turns = [await pipeline.turn(path) for _ in range(4)]

    assert [turn.next_due_in for turn in turns] == [None] * 4
    await connection.execute("select pgmend.resume_source(1)")
    await pipeline.turn(path)
    assert await count(connection, "public.orders") == 1
