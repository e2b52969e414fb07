"""Constrain takes the locks that its plan names, on the tables that it names, and no others that matter."""

import asyncio

import pytest

from tests.support.constrained import run_on
from tests.support.database import Database
from tests.support.waiting import eventually
from worker.core.constrain.step import CreateIndex, DropIndex, Mode, Step, locks
from worker.store import constraints
from worker.store.connection import Connection
from worker.wishes import Asked, gather

TABLES = {
    "plain": "create table public.visits (user_id int)",
    "partitioned": """
        create table public.visits (user_id int) partition by hash (user_id);
        create table public.visits_a partition of public.visits for values with (modulus 1, remainder 0)
    """,
    "partition with a key": """
        create table public.visits (user_id int) partition by hash (user_id);
        create table public.visits_a partition of public.visits for values with (modulus 1, remainder 0);
        alter table public.visits_a add foreign key (user_id) references public.profiles
    """,
}
MODES: list[Mode] = ["AccessShare", "RowShare", "ShareUpdateExclusive", "Share", "ShareRowExclusive", "AccessExclusive"]
"""From the weakest to the strongest."""

HELD = """
    select relation::regclass::text as name, mode from pg_locks
    where pid = pg_backend_pid() and locktype = 'relation' and granted and mode <> 'AccessShareLock'
        and relation in (select oid from pg_class where relnamespace = 'public'::regnamespace)
"""


@pytest.mark.parametrize("tables", TABLES)
async def test_each_step_takes_the_locks_that_the_plan_names(empty_database: Database, tables: str) -> None:
    """Run in a transaction, each step holds them, and nothing that would hinder others is left out of the plan."""
    connection = await empty_database.connect()
    await connection.execute(f"create table public.profiles (id int primary key); {TABLES[tables]}")
    told_locks: list[tuple[Step, dict[str, Mode]]] = []
    async with run_on(empty_database.url) as told:
        (wish,) = await gather(connection, Asked(["visits.user_id=profiles.id"]))
        while (plan := await told.constraining.plan(wish, is_clean=True)).steps:
            step = plan.steps[0]
            if not isinstance(step, CreateIndex | DropIndex):
                text = await constraints.text(connection, wish.reference, step)
                told_locks.append((step, await _held(connection, text)))
            await told.constraining._next(wish, is_clean=True)

    assert len(told_locks) >= 2
    for step, held in told_locks:
        named = {lock.on: lock.mode for lock in locks(step)}
        assert {on: mode for on, mode in held.items() if on in named} == {
            on: mode for on, mode in named.items() if mode != "AccessShare"
        }, step
        assert not {on for on in held if on not in named and not _goes_with(on, held, named)}, step


async def _held(connection: Connection, text: str) -> dict[str, Mode]:
    """Run a statement, undo it, and return the strongest lock that it has taken on each table and index."""
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute(text)
    rows = await connection.fetch(HELD)
    await transaction.rollback()
    held: dict[str, Mode] = {}
    for row in sorted(rows, key=lambda row: MODES.index(row["mode"].removesuffix("Lock"))):
        held[f"public.{row['name']}"] = row["mode"].removesuffix("Lock")
    return held


def _goes_with(on: str, held: dict[str, Mode], named: dict[str, Mode]) -> bool:
    """Return whether something that the plan does not name is a partition, locked as its table is, or an index that is new."""
    is_part = any(on.startswith(f"{table}_") and held[on] == mode for table, mode in named.items())
    return is_part or on.endswith("_by_user_id")


@pytest.mark.parametrize("what", ["create", "drop"])
async def test_index_steps_hinder_no_writer_however_long_they_wait(empty_database: Database, what: str) -> None:
    """An old transaction keeps the index waiting; meanwhile rows are written, and nobody waits but the index."""
    connection = await empty_database.connect()
    await connection.execute("create table public.profiles (id int primary key); create table public.visits (user_id int)")
    if what == "drop":
        await connection.execute("create index visits_by_user_id on public.visits (user_id)")
        await connection.execute("update pg_index set indisvalid = false where indexrelid = 'public.visits_by_user_id'::regclass")
    old = await empty_database.connect()
    transaction = old.transaction()
    await transaction.start()
    await old.execute("insert into public.visits values (null)")
    async with run_on(empty_database.url) as told:
        (wish,) = await gather(connection, Asked(["visits.user_id=profiles.id"]))
        running = asyncio.ensure_future(told.constraining.carry_out(wish))
        await eventually(lambda: _waits(connection))
        await connection.execute("set lock_timeout = '200ms'; insert into public.visits select null from generate_series(1, 100)")
        await transaction.commit()
        outcome = await running

    assert outcome.orphans == {}
    assert await connection.fetchval("select indisvalid from pg_index where indexrelid = 'public.visits_by_user_id'::regclass")


async def _waits(connection: Connection) -> bool:
    query = "select count(*) from pg_stat_activity where application_name = 'pgmend constrain' and wait_event_type = 'Lock'"
    return bool(await connection.fetchval(query))
