"""Ids do not commit in order: an event whose transaction ends late lies below where the worker looks by then, and is found."""

from tests.conftest import StartWorker
from tests.support.database import Database, count, sign_up
from tests.support.waiting import eventually
from tests.support.workload import healed, settled
from worker import pipeline
from worker.core.low_water import IMPATIENCE
from worker.pipeline import Path
from worker.store.connection import Connection

HOUR = 3600
FAR_FUTURE = 10**15
NO_BELL = f"select setval('pgmend.doorbell_lease', {FAR_FUTURE})"


async def test_event_of_the_youngest_transaction_is_not_passed_over(
    database: Database, connection: Connection, path: Path
) -> None:
    """A snapshot ends with the latest transaction that has ended; a younger one that still runs has an event all the same."""
    slow = await database.connect()
    async with slow.transaction():
        late = await sign_up(slow)
        for _ in range(5):
            await _drain(path)

    await _drain(path)

    assert await count(connection, "public.profiles where id = $1", late) == 1


async def test_event_below_the_mark_is_healed_by_the_first_drain_after_its_commit(
    database: Database, connection: Connection, path: Path
) -> None:
    """Once the transaction is seen to have ended, the same drain looks again from below, not the next one."""
    slow = await database.connect()
    async with slow.transaction():
        late = await sign_up(slow)
        while not path.mark.floor:
            await _sign_up_many(connection, IMPATIENCE + 1)
            await _drain(path)
        event_id = await slow.fetchval("select event_id from pgmend.outbox where user_key = $1", late)
        assert path.mark.floor >= event_id

    await _drain(path)

    assert await count(connection, "public.profiles where id = $1", late) == 1


async def test_late_commit_that_did_not_ring_is_healed_without_the_poll(
    database: Database, connection: Connection, start: StartWorker
) -> None:
    """The worker that said it was awake looks until that transaction has ended, however far its mark has risen meanwhile."""
    await start(poll_interval_seconds=HOUR, sweep_interval_seconds=HOUR, heartbeat_interval_seconds=HOUR)
    slow = await database.connect()
    async with slow.transaction():
        await connection.execute(NO_BELL)
        late = await sign_up(slow)
        await connection.execute("select setval('pgmend.doorbell_lease', 0)")
        for _ in range(4):
            await _sign_up_many(connection, IMPATIENCE + 1)
            await settled(connection)
        await eventually(lambda: _is_cleared(connection))

    await healed(connection, late)


async def _sign_up_many(connection: Connection, number: int) -> None:
    await connection.execute("insert into public.users (full_name) select 'u' from generate_series(1, $1::integer)", number)


async def _is_cleared(connection: Connection) -> bool:
    return bool(await connection.fetchval("select last_value <= 1000000000000 from pgmend.doorbell_lease"))


async def _drain(path: Path) -> None:
    while (await pipeline.turn(path)).more:
        pass
