"""Two sessions and one row: what each capture comes to while somebody else has not committed yet."""

import asyncio
import json

import asyncpg
import pytest

from tests.conftest import StartWorker
from tests.support.activity import blocked
from tests.support.database import Database, count, sign_up
from tests.support.outbox import dead_letters
from tests.support.waiting import eventually
from tests.support.workload import park_order, settled
from worker.store.connection import Connection

HOUR = 3600
ORDER = "insert into public.orders (user_id, amount) values ($1, 9.90)"
MODES = ["ensure", "park"]
ERASURES = {
    "softly": "update public.users set deleted_at = now() where id = $1",
    "for-good": "delete from public.users where id = $1",
}


async def guard(connection: Connection, mode: str, **settings: str) -> None:
    """Guard the orders in a mode."""
    given = "".join(f", {name} => '{value}'" for name, value in settings.items())
    await connection.execute(f"select pgmend.guard('public.orders', 'fk_orders_user_id', mode => '{mode}'{given})")


@pytest.mark.parametrize("mode", MODES)
async def test_insert_for_a_user_who_is_not_committed_yet_is_refused_honestly(
    database: Database, connection: Connection, mode: str
) -> None:
    """Nobody waits for a sign-up of another session, and nothing is made for a user who may never be."""
    await guard(connection, mode)
    signing_up = await database.connect()
    async with signing_up.transaction():
        key = await sign_up(signing_up)
        with pytest.raises(asyncpg.ForeignKeyViolationError, match="fk_orders_user_id"):
            await connection.execute(ORDER, key)

    assert await count(connection, "public.profiles") == 0


@pytest.mark.parametrize("outcome", ["commit", "rollback"])
async def test_row_parked_for_a_user_who_is_not_committed_yet_follows_the_sign_up(
    database: Database, connection: Connection, start: StartWorker, outcome: str
) -> None:
    """With a grace period the row waits: it stands once the user does, and is a dead letter if they never do."""
    await guard(connection, "park", unknown_user_grace="3 seconds")
    signing_up = await database.connect()
    transaction = signing_up.transaction()
    await transaction.start()
    assert await connection.execute(ORDER, await sign_up(signing_up)) == "INSERT 0 0"
    worker = await start(poll_interval_seconds=HOUR)
    await worker.logged("event_released", sqlstate="PM008")

    await getattr(transaction, outcome)()

    await settled(connection)
    assert await count(connection, "public.orders") == (outcome == "commit")
    assert await dead_letters(connection) == ([] if outcome == "commit" else [("unknown_user", "23503")])


async def test_row_parked_beside_a_profile_that_is_not_committed_yet_is_stored_once(
    database: Database, connection: Connection, start: StartWorker
) -> None:
    """The application's own profile commits later: the replay waits for it, and makes none."""
    key = await sign_up(connection)
    making = await database.connect()
    async with making.transaction():
        await making.execute("insert into public.profiles (id, name) values ($1, 'by myself')", key)
        assert await park_order(connection, key) == "parked"
        await start(poll_interval_seconds=HOUR)
        await blocked(connection, "profiles/heal")

    await settled(connection)
    assert await count(connection, "public.orders") == 1
    assert await connection.fetchval("select name from public.profiles") == "by myself"


@pytest.mark.parametrize("erase", ERASURES)
async def test_ensure_waits_for_an_erasure_under_way_and_makes_nobody(
    database: Database, connection: Connection, erase: str
) -> None:
    """An order placed while its user is being erased meets the honest error when the erasure commits."""
    await guard(connection, "ensure")
    key = await sign_up(connection)
    erasing = await database.connect()
    async with erasing.transaction():
        await erasing.execute(ERASURES[erase], key)
        ordering = asyncio.ensure_future(connection.execute(ORDER, key))
        await eventually(lambda: count(erasing, "pg_locks where locktype = 'transactionid' and not granted"))

    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await ordering
    assert await count(erasing, "public.profiles") == 0


@pytest.mark.parametrize("erase", ERASURES)
async def test_erasure_waits_for_a_profile_that_ensure_has_made_and_removes_it(
    database: Database, connection: Connection, erase: str
) -> None:
    """The user is held until the order commits; the erasure that comes after sees the profile, and takes it along."""
    await guard(connection, "ensure")
    key = await sign_up(connection)
    erasing = await database.connect()

    async def erase_as_applications_do() -> None:
        async with erasing.transaction():
            await erasing.execute(ERASURES[erase], key)
            await erasing.execute("delete from public.profiles where id = $1", key)

    async with connection.transaction():
        await connection.execute(ORDER, key)
        erasure = asyncio.ensure_future(erase_as_applications_do())
        await eventually(lambda: count(connection, "pg_locks where locktype = 'transactionid' and not granted"))

    await erasure
    assert await count(connection, "public.profiles") + await count(connection, "public.orders") == 0


async def test_two_orders_of_one_user_at_once_make_one_profile(database: Database, connection: Connection) -> None:
    """Two sessions under ensure: the second waits for the first, and both are stored."""
    await guard(connection, "ensure")
    key = await sign_up(connection)
    other = await database.connect()
    async with connection.transaction():
        await connection.execute(ORDER, key)
        ordering = asyncio.ensure_future(other.execute(ORDER, key))
        await eventually(lambda: count(connection, "pg_locks where locktype = 'transactionid' and not granted"))
    await ordering

    assert await count(connection, "public.orders") == 2
    assert await count(connection, "public.error_logs where error_type = 'MISSING_PROFILE_CREATED'") == 1


@pytest.mark.parametrize("outcome", ["commit", "rollback"])
async def test_replay_beside_its_writer_who_tries_again_stores_the_row_once(
    database: Database, connection: Connection, start: StartWorker, outcome: str
) -> None:
    """The replay waits for the other insert of the same key: it recognises the row that commits, or brings its own."""
    key = await sign_up(connection)
    row = {"id": "33333333-3333-3333-3333-333333333333", "user_id": key, "amount": "5.00"}
    await connection.fetchval("select pgmend.insert_or_park('public.orders', $1)", json.dumps(row))
    await connection.execute("insert into public.profiles (id, name) values ($1, 'by myself')", key)
    trying = await database.connect()
    transaction = trying.transaction()
    await transaction.start()
    await trying.execute("insert into public.orders (id, user_id, amount) values ($1, $2, 5)", row["id"], key)
    await start(poll_interval_seconds=HOUR, lock_timeout_seconds=20)
    await blocked(connection, "replays/replay")

    await getattr(transaction, outcome)()

    await settled(connection)
    assert await count(connection, "public.orders") == 1
    assert await dead_letters(connection) == []


async def test_line_captured_while_its_order_is_being_replayed_follows_it(
    database: Database, connection: Connection, start: StartWorker
) -> None:
    """The order is settled by a transaction that did not see the line: the line comes by itself."""
    await connection.execute(
        "create table public.lines (order_id uuid not null constraint lines_order_id_fkey references public.orders (id))"
    )
    key = await sign_up(connection)
    order = {"id": "33333333-3333-3333-3333-333333333333", "user_id": key, "amount": "5.00"}
    await connection.fetchval("select pgmend.insert_or_park('public.orders', $1)", json.dumps(order))
    capturing = await database.connect()
    async with capturing.transaction():
        line = json.dumps({"order_id": order["id"]})
        await capturing.fetchval("select pgmend.insert_or_park('public.lines', $1)", line)
        await start(poll_interval_seconds=HOUR)
        await eventually(lambda: count(connection, "public.orders"))

    await settled(connection)
    assert await count(connection, "public.lines") == 1
