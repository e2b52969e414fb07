"""Constrain while others work: it comes again until it is granted its locks, and nobody waits longer than one attempt."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import asyncpg
import pytest

from tests.support.constrained import SOON, constrained, run_on, state
from tests.support.database import Database
from tests.support.waiting import eventually
from worker import constraining
from worker.core.retry_policy import RetryPolicy
from worker.errors import LockNotGrantedError
from worker.locking import Patience
from worker.store.connection import Connection
from worker.wishes import Asked, gather

ORDERS = "orders.user_id=profiles.id"
LINES = "lines.order_id=orders.id"
TABLES = """
    create table public.profiles (id int primary key, seen int not null default 0);
    create table public.orders (id int generated always as identity primary key, user_id int not null, n int not null default 0);
    create table public.lines (order_id int not null);
    insert into public.profiles select generate_series(1, 200);
    insert into public.orders (user_id) select 1 + n % 200 from generate_series(1, 20000) as n
"""
LONGEST_WAIT_SECONDS = 2.0


@pytest.fixture
async def shop(empty_database: Database) -> Connection:
    """Profiles, orders and their lines, without a key."""
    connection = await empty_database.connect()
    await connection.execute(TABLES)
    return connection


@dataclass(slots=True)
class Load:
    """What a load of small transactions has met."""

    done: int = 0
    slowest: float = 0.0
    errors: list[str] = field(default_factory=list)


async def test_long_transaction_is_waited_for_in_short_attempts(empty_database: Database, shop: Connection) -> None:
    """Each attempt gives up and comes again; the key is made as soon as the other session has ended."""
    old = await empty_database.connect(application_name="nightly report")
    transaction = old.transaction()
    await transaction.start()
    await old.execute("update public.profiles set seen = 1 where id = 1")
    async with run_on(empty_database.url) as told:
        (wish,) = await gather(shop, Asked([ORDERS]))
        running = asyncio.ensure_future(told.constraining.carry_out(wish))
        await eventually(lambda: _has_said(told.lines, "attempt 3 was not granted"))
        before = [row["conname"] for row in await state(shop) if "conname" in row]
        await transaction.commit()
        await running

    assert before == []
    assert any("nightly report" in line for line in told.lines)
    assert [row["convalidated"] for row in await state(shop) if "conname" in row] == [True]


async def test_writer_behind_it_never_waits_longer_than_an_attempt(empty_database: Database, shop: Connection) -> None:
    """The waiting lock keeps writers waiting, but only until the attempt gives up: a writer with more patience never fails."""
    old = await empty_database.connect()
    transaction = old.transaction()
    await transaction.start()
    await old.execute("update public.profiles set seen = 1 where id = 1")
    patience = SOON.lock_milliseconds * 4
    async with _load(empty_database, [_update_profile], lock_timeout=patience) as load, run_on(empty_database.url) as told:
        (wish,) = await gather(shop, Asked([ORDERS]))
        running = asyncio.ensure_future(told.constraining.carry_out(wish))
        await eventually(lambda: _has_said(told.lines, "attempt 8 was not granted"))
        await transaction.rollback()
        await running

    assert load.errors == []
    assert load.done > 8
    assert load.slowest > SOON.lock_milliseconds / 1000 / 2, "no writer has ever met the waiting lock"


async def test_session_that_does_not_end_is_named_when_it_gives_up(empty_database: Database, shop: Connection) -> None:
    """Process, program, state and age, so that a person can decide; no query text, which holds values."""
    old = await empty_database.connect(application_name="forgotten session")
    async with old.transaction():
        await old.execute("update public.profiles set seen = 4711 where id = 1")
        pid = old.get_server_pid()
        with pytest.raises(LockNotGrantedError) as raised:
            await _carry_out(empty_database, Patience(50, RetryPolicy(0.01, 0.02, most_attempts=3)))
    line = str(raised.value)

    assert f"3 attempts of 50 ms; in the way: process {pid} (forgotten session) of postgres: idle in transaction" in line
    assert "4711" not in line
    assert [row for row in await state(shop) if "conname" in row] == []


async def test_what_was_done_before_it_gave_up_stands(empty_database: Database, shop: Connection) -> None:
    """The next run goes on from there: the index is not made again."""
    old = await empty_database.connect()
    async with run_on(empty_database.url, Patience(50, RetryPolicy(0.01, 0.02, most_attempts=2))) as told:
        (wish,) = await gather(shop, Asked([ORDERS]))
        await told.constraining._next(wish, is_clean=False)
        async with old.transaction():
            await old.execute("update public.orders set n = 1 where id = 1")
            with pytest.raises(LockNotGrantedError):
                await told.constraining.carry_out(wish)
    (outcome,) = await constrained(empty_database, ORDERS)

    assert not any("create index" in text for text in outcome.done)
    assert [row["convalidated"] for row in await state(shop) if "conname" in row] == [True]


async def test_load_meets_no_error_and_the_result_is_clean(empty_database: Database, shop: Connection) -> None:
    """Inserts, updates and deletes on all tables go on while two keys are made; not one fails, and none waits for long."""
    works = [_insert_order, _update_profile, _delete_order, _insert_line]
    async with _load(empty_database, works, lock_timeout=SOON.lock_milliseconds * 5) as load:
        await eventually(lambda: _is_at_work(load))
        outcomes = await constrained(empty_database, ORDERS, LINES, on_delete=["lines.order_id=cascade"])
        done = load.done
        await eventually(lambda: _has_done(load, done + 100))

    assert load.errors == []
    assert load.slowest < LONGEST_WAIT_SECONDS
    assert [outcome.orphans for outcome in outcomes] == [{}, {}]
    assert [row["convalidated"] for row in await state(shop) if "conname" in row] == [True, True]


async def test_two_runs_at_once_make_one_key(empty_database: Database, shop: Connection) -> None:
    """Whoever comes second finds what the first has done."""
    await asyncio.gather(*(constrained(empty_database, ORDERS) for _ in range(3)))
    found = await state(shop)

    assert [row["convalidated"] for row in found if "conname" in row] == [True]
    assert [(row["name"], row["indisvalid"]) for row in found if "orders_by" in row.get("name", "")] == [
        ("orders_by_user_id", True)
    ]


async def test_wait_of_an_index_is_told_with_whom_it_waits_for(
    empty_database: Database, shop: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has no limit, so a person is told how far it is, and whose transaction is older."""
    monkeypatch.setattr(constraining, "_SILENCE_SECONDS", 0.05)
    old = await empty_database.connect(application_name="forgotten session")
    transaction = old.transaction()
    await transaction.start()
    await old.execute("update public.orders set n = 4711 where id = 1")
    async with run_on(empty_database.url) as told:
        (wish,) = await gather(shop, Asked([ORDERS]))
        running = asyncio.ensure_future(told.constraining.carry_out(wish))
        await eventually(lambda: _has_said(told.lines, "waiting for process"))
        await transaction.commit()
        await running
    (line, *_) = [line for line in told.lines if "waiting for process" in line]

    assert "waiting for writers before build" in line
    assert "(forgotten session) of postgres: idle in transaction" in line
    assert "4711" not in "".join(told.lines)


@pytest.mark.parametrize("what", ["create index%", "alter table%validate%"])
async def test_statement_that_a_person_cancels_is_not_begun_again(empty_database: Database, shop: Connection, what: str) -> None:
    """Only what our own limits have ended comes again; what waits because it hinders nobody ends when a person says so."""
    if "validate" in what:
        await constrained(empty_database, ORDERS)
        await shop.execute("update pg_constraint set convalidated = false where conname = 'orders_user_id_fkey'")
    old = await empty_database.connect()
    async with old.transaction(), run_on(empty_database.url, Patience(900, SOON.retries)) as told:
        await old.execute("lock table public.orders in share update exclusive mode")
        (wish,) = await gather(shop, Asked([ORDERS]))
        running = asyncio.ensure_future(told.constraining.carry_out(wish))
        await eventually(lambda: _cancel(shop, what))
        with pytest.raises(asyncpg.QueryCanceledError):
            await running

    assert [line for line in told.lines if "attempt" in line] == []


async def _cancel(connection: Connection, what: str) -> bool:
    """Cancel the statement that waits, as soon as it does."""
    query = """
        select pg_cancel_backend(pid) from pg_stat_activity
        where application_name = 'pgmend constrain' and query like $1 and wait_event_type = 'Lock'
    """
    return bool(await connection.fetchval(query, what))


async def _carry_out(database: Database, patience: Patience) -> None:
    async with run_on(database.url, patience) as told:
        (wish,) = await gather(told.constraining.connection, Asked([ORDERS]))
        await told.constraining.carry_out(wish)


async def _insert_order(connection: Connection, number: int) -> None:
    await connection.execute("insert into public.orders (user_id) values ($1)", 1 + number % 100)


async def _update_profile(connection: Connection, number: int) -> None:
    await connection.execute("update public.profiles set seen = seen + 1 where id = $1", 2 + number % 100)


async def _delete_order(connection: Connection, number: int) -> None:
    await connection.execute("delete from public.orders where id = $1", 15000 + number)


async def _insert_line(connection: Connection, number: int) -> None:
    async with connection.transaction():
        await connection.execute("insert into public.lines values ($1)", 1 + number % 1000)
        await connection.execute("update public.orders set n = n + 1 where id = $1", 1 + number % 1000)


Work = Callable[[Connection, int], Awaitable[None]]


@asynccontextmanager
async def _load(database: Database, works: Sequence[Work], *, lock_timeout: int) -> AsyncIterator[Load]:
    """Let each work go on, as fast as it can, on a connection of its own."""
    load = Load()
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for work in works:
            connection = await database.connect()
            await connection.execute(f"set lock_timeout = {lock_timeout}")
            group.create_task(_go_on(load, stop, work, connection))
        try:
            yield load
        finally:
            stop.set()


async def _go_on(load: Load, stop: asyncio.Event, work: Work, connection: Connection) -> None:
    number = 0
    while not stop.is_set():
        begun = time.monotonic()
        try:
            await work(connection, number)
        except asyncpg.PostgresError as error:
            load.errors.append(f"{work.__name__}: {error.sqlstate} {error}")
        load.slowest = max(load.slowest, time.monotonic() - begun)
        load.done += 1
        number += 1


async def _has_said(lines: list[str], text: str) -> bool:
    return any(text in line for line in lines)


async def _is_at_work(load: Load) -> bool:
    return load.done > 100


async def _has_done(load: Load, number: int) -> bool:
    return load.done >= number
