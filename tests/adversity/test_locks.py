"""Somebody else holds the lock: the event waits its turn, the others do not wait for it, and nothing is lost."""

import pytest

from tests.conftest import StartWorker
from tests.support.activity import blocked, lock_table
from tests.support.database import Database, count, sign_up
from tests.support.process import WorkerProcess
from tests.support.waiting import eventually
from tests.support.workload import healed, play_unannounced, report_order, settled
from worker import pipeline
from worker.pipeline import Path
from worker.store import outbox
from worker.store.connection import Connection

HOUR = 3600
CREATED = "public.error_logs where error_type = 'MISSING_PROFILE_CREATED'"

ORDERS_COUNT_STOCK = """
    create table public.stock (items integer);
    insert into public.stock values (100);
    create function public.take_from_stock() returns trigger language plpgsql as $$
    begin
        update public.stock set items = items - 1;
        return new;
    end $$;
    create trigger take_from_stock before insert on public.orders for each row execute function public.take_from_stock()
"""


async def test_replay_that_meets_a_lock_timeout_is_released_and_done_later(
    database: Database, connection: Connection, start: StartWorker
) -> None:
    """55P03 costs the event an attempt and a delay; as soon as the lock is free it is replayed, without any bell."""
    lock = await lock_table(await database.connect(), "public.orders", "share")
    key = await sign_up(connection)
    event_id = await report_order(connection, key)
    worker = await start(poll_interval_seconds=HOUR, lock_timeout_seconds=0.1)

    await worker.logged("event_released", event_id=event_id, attempt=2, sqlstate="55P03")
    await lock.rollback()

    await settled(connection)
    assert await count(connection, "public.orders where user_id = $1", key) == 1


async def test_replay_that_meets_a_deadlock_is_released_and_done_later(
    database: Database, connection: Connection, start: StartWorker
) -> None:
    """40P01 undoes the one event, profile included, so that the other session goes on; the next attempt completes it."""
    await connection.execute(ORDERS_COUNT_STOCK)
    worker = await start(poll_interval_seconds=HOUR, lock_timeout_seconds=20)
    await worker.logged("sweep_finished")
    key = await play_unannounced(connection, "unannounced@example.org")
    other = await database.connect()
    await other.execute("set deadlock_timeout = '20s'")  # the worker is to be the victim
    async with other.transaction():
        await other.execute("update public.stock set items = items + 1")
        event_id = await report_order(connection, key)
        await blocked(connection, "replays/replay")
        await other.execute("update public.users set full_name = 'Ada' where id = $1", key)

    await worker.logged("event_released", event_id=event_id, sqlstate="40P01")
    await settled(connection)
    assert await connection.fetchval("select items from public.stock") == 100
    assert await count(connection, f"{CREATED} and user_id = $1", key) == 1


@pytest.mark.parametrize("ending", ["commit", "rollback"])
async def test_profile_that_a_client_is_inserting_does_not_hold_up_the_others(
    database: Database, connection: Connection, start: StartWorker, ending: str
) -> None:
    """The rest of the batch is healed at once; the one key is decided when the client has decided."""
    users = await connection.fetch("insert into public.users (full_name) select 'u' from generate_series(1, 10) returning id")
    client = await database.connect()
    transaction = client.transaction()
    await transaction.start()
    await client.execute("insert into public.profiles (id, name) values ($1, 'by the client')", users[5]["id"])

    await start(poll_interval_seconds=HOUR, lock_timeout_seconds=0.2)
    await eventually(lambda: _has_profiles(connection, 9))
    assert await count(connection, "pgmend.outbox") == 1
    await (transaction.commit() if ending == "commit" else transaction.rollback())

    await settled(connection)
    assert await count(connection, "public.profiles") == 10
    assert await count(connection, CREATED) == (9 if ending == "commit" else 10)


async def test_bulk_insert_of_profiles_that_is_not_committed_does_not_hold_up_the_others(
    database: Database, connection: Connection, start: StartWorker
) -> None:
    """Waiting a moment for each of many keys would add up: a user who has nothing to do with them is healed all the same."""
    await connection.execute("insert into public.users (full_name) select 'u' from generate_series(1, 500)")
    client = await database.connect()
    transaction = client.transaction()
    await transaction.start()
    await client.execute("insert into public.profiles (id, name) select id, full_name from public.users")

    await start(poll_interval_seconds=HOUR)
    await healed(connection, await sign_up(connection))
    await blocked(connection, "profiles/heal")
    await healed(connection, await sign_up(connection))

    await transaction.commit()
    await settled(connection)
    assert await count(connection, CREATED) == 2


async def test_statement_that_takes_too_long_is_given_up_and_nothing_is_lost(
    database: Database, connection: Connection, start: StartWorker
) -> None:
    """While the outbox is locked against everybody each statement times out; when it is free again all are healed once."""
    await connection.execute("insert into public.users (full_name) select 'u' from generate_series(1, 20)")
    lock = await lock_table(await database.connect(), "pgmend.outbox")
    worker = await start(poll_interval_seconds=HOUR, statement_timeout_seconds=0.3)

    await worker.logged("turn_failed", sqlstate="57014")
    await lock.rollback()

    await settled(connection)
    assert await count(connection, "public.profiles") == 20
    assert await count(connection, CREATED) == 20


async def test_profiles_table_locked_against_everybody_delays_healing_and_no_more(
    database: Database, connection: Connection, start: StartWorker
) -> None:
    """While a schema change holds the profiles table nothing can be healed; afterwards everything is, exactly once."""
    await connection.execute("insert into public.users (full_name) select 'u' from generate_series(1, 20)")
    lock = await lock_table(await database.connect(), "public.profiles")
    worker = await start(poll_interval_seconds=HOUR, statement_timeout_seconds=1, lock_timeout_seconds=0.1)

    await eventually(lambda: _has_met_a_lock(worker))
    await lock.rollback()

    await settled(connection)
    assert await count(connection, "public.profiles") == 20
    assert await count(connection, CREATED) == 20
    assert await count(connection, "pgmend.dead_letters") == 0


async def test_worker_does_not_spin_while_another_holds_the_event_that_is_due(
    database: Database, connection: Connection, path: Path
) -> None:
    """An event that is due and claimed elsewhere is nothing to wait zero seconds for."""
    await report_order(connection, await sign_up(connection))
    await pipeline.express(path)
    other = await database.connect()
    async with other.transaction():
        assert len(await outbox.claim(other, limit=10)) == 1

        turn = await pipeline.turn(path)

        assert not turn.more
        assert turn.next_due_in is None or turn.next_due_in > 0


async def _has_met_a_lock(worker: WorkerProcess) -> bool:
    return any(line.get("sqlstate") == "55P03" for line in worker.lines)


async def _has_profiles(connection: Connection, number: int) -> bool:
    return await count(connection, "public.profiles") == number
