"""Sign-ups: their capture runs in somebody else's transaction, and takes nothing from it and gives nothing to it."""

import os
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.integration.conftest import MakeRole
from tests.support.database import Database, count, create_database, install_application, sign_up
from tests.support.waiting import eventually
from tests.support.workload import report_order
from worker import embedded
from worker.store.connection import Connection

OWN_OPERATORS = """
    create function shop_writer.spy(a text, b text) returns boolean language plpgsql as
    $$ begin raise notice '%', current_user; return true; end $$;
    create function shop_writer.spy(a bigint, b float8) returns boolean language plpgsql as
    $$ begin raise notice '%', current_user; return true; end $$;
    create function shop_writer.spy(a bigint, b bigint) returns boolean language plpgsql as
    $$ begin raise notice '%', current_user; return true; end $$;
"""


@pytest.fixture(scope="module")
def preparing_cluster() -> Iterator[embedded.Cluster]:
    """A server that allows prepared transactions."""
    major = os.environ.get("PGMEND_TEST_PG")
    with embedded.start(embedded.find(int(major) if major else None), settings={"max_prepared_transactions": "5"}) as running:
        yield running


@pytest.fixture
async def preparing(preparing_cluster: embedded.Cluster) -> AsyncIterator[Connection]:
    """A session on that server, where the sample application is installed."""
    database = await create_database(preparing_cluster)
    connection = await database.connect()
    await install_application(connection)
    yield connection
    await database.close()


async def test_silent_sign_up_can_be_prepared(preparing: Connection) -> None:
    """A transaction that says so rings nobody, so that PREPARE TRANSACTION works, and its event is there once it commits."""
    await preparing.execute("begin; set local pgmend.silent = 'on'")
    await sign_up(preparing)

    await preparing.execute("prepare transaction 'sign-up'")
    await preparing.execute("commit prepared 'sign-up'")

    assert await count(preparing, "pgmend.outbox join public.users on id::text = user_key") == 1


async def test_silent_capture_can_be_prepared(preparing: Connection) -> None:
    """A captured insert keeps as quiet as a sign-up."""
    key = await sign_up(preparing)
    await preparing.execute("begin; set local pgmend.silent = 'on'")
    await preparing.fetchval(
        "select pgmend.insert_or_park('public.orders', jsonb_build_object('user_id', $1::text, 'amount', 1))", key
    )

    await preparing.execute("prepare transaction 'capture'")
    await preparing.execute("commit prepared 'capture'")

    assert await count(preparing, "pgmend.outbox where kind = 'insert_failed'") == 1


@pytest.mark.parametrize(
    ("lease", "rings"),
    [(0, 1), (4711, 1), (1_000_000_000_000, 1), (1_000_000_000_001, 0)],
    ids=["all-sleep", "somebody-waits", "highest-process-id", "awake"],
)
async def test_sign_up_and_capture_ring_unless_a_worker_is_awake(
    connection: Connection, database: Database, lease: int, rings: int
) -> None:
    """A worker that has cleared its lease and waits for who relied on it does not count as awake."""
    listening = await database.connect()
    heard: list[str] = []
    await listening.add_listener("pgmend", lambda *said: heard.append(str(said[-1])))
    await connection.execute("select setval('pgmend.doorbell_lease', $1)", lease)

    key = await sign_up(connection)
    await report_order(connection, key)
    await connection.execute("select pg_notify('pgmend', 'end')")

    async def has_ended() -> bool:
        return "end" in heard

    await eventually(has_ended)
    assert heard.count("") == 2 * rings


async def test_event_carries_the_correlation_id(connection: Connection) -> None:
    """What the application calls its request is found again in the event."""
    async with connection.transaction():
        await connection.execute("set local pgmend.correlation_id = 'request-7'")
        await sign_up(connection)

    assert await connection.fetchval("select correlation_id from pgmend.outbox") == "request-7"


async def test_operators_of_the_one_who_signs_up_are_not_ours(
    connection: Connection, database: Database, make_role: MakeRole
) -> None:
    """The trigger runs with our rights under a search path of the caller's: none of his operators is taken for the catalog's."""
    await make_role("shop_writer")
    await connection.execute("grant insert on public.users to shop_writer; create schema shop_writer authorization shop_writer")
    session = await database.connect()
    seen: list[str] = []
    session.add_log_listener(lambda _, message: seen.append(message.message or ""))
    await session.execute("set role shop_writer" + ";" + OWN_OPERATORS)
    for operator in ("=", "<>", "<", ">", "*"):
        for types in ("text text", "bigint float8", "bigint bigint"):
            left, right = types.split()
            await session.execute(
                f"create operator shop_writer.{operator} (leftarg = {left}, rightarg = {right}, function = shop_writer.spy)"
            )
    await session.execute("set search_path = shop_writer, pg_catalog; set pgmend.silent = 'off'")

    await session.execute("insert into public.users (email) values ('ada@example.org')")

    await session.execute("select")
    assert (seen, await count(connection, "pgmend.outbox")) == ([], 1)


async def test_sign_up_outlives_a_lock_that_it_has_no_time_to_wait_for(database: Database, connection: Connection) -> None:
    """The statement's time runs out in our trigger, and the sign-up commits all the same; the sweep will find the user."""
    blocker = await database.connect()
    await connection.execute("set statement_timeout = '200ms'")
    async with blocker.transaction():
        await blocker.execute("lock table pgmend.express_events in access exclusive mode")

        await sign_up(connection)

    assert await count(connection, "public.users") == 1
    assert await count(connection, "pgmend.outbox") == 0
