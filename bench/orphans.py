"""Counting the orphans of one reference, each with its reason, beside the bare anti-join that does nothing but count them."""

import time
from collections.abc import Awaitable, Callable

from bench.application import Filling
from bench.laboratory import Laboratory, connected
from bench.picture import Bar, Bars, Group
from bench.report import Comparison, Report, Target
from bench.rounds import Lane, interleave
from worker.store import orphans, people, references
from worker.store.connection import Connection
from worker.survey import Survey, Wishes

NAME = "orphans"
UNIT = "rows/s"
WAYS = {
    "ours": "diagnose: reasons, times, keys",
    "bare": "anti-join, count alone",
    "bare, more memory": "the same, work_mem as ours",
}
BARE = """
select count(*) from public.orders as t
where t.user_id is not null and not exists (select from public.profiles as p where p.id = t.user_id)
"""
# One order in a hundred is an orphan: half of them of users who are there (one in fifty of these is erased), half of nobody's.
ORDERS = """
set session_replication_role = replica;
alter table public.orders drop constraint fk_orders_user_id;
insert into public.users (id, email, deleted_at)
select md5('user' || number)::uuid, number || '@example.org', case when number % 50 = 0 then now() end
from generate_series(1, {users} + {users} / 25) as number;
insert into public.profiles (id, name) select md5('user' || number)::uuid, 'x' from generate_series(1, {users}) as number;
insert into public.orders (user_id, amount, created_at)
select
    case
        when number % 100 > 0 then md5('user' || 1 + number::bigint * 7919 % {users})::uuid
        when number % 200 = 0 then md5('user' || {users} + 1 + number / 200 % ({users} / 25))::uuid
        else md5('nobody' || number)::uuid
    end,
    1,
    now() - number * interval '1 second'
from generate_series(1, {rows}) as number;
reset session_replication_role;
"""

Count = Callable[[], Awaitable[int]]


async def measure(laboratory: Laboratory) -> Report:
    """Count in turn on one warm connection. The bare join also gets the memory that ours takes, so that no setting wins."""
    rows = laboratory.size(5_000_000, 20_000)
    prepared = await laboratory.prepare(Filling(statements=ORDERS.format(rows=rows, users=rows // 10)))
    async with connected(laboratory.cluster.url(prepared)) as connection:
        for table in ("users", "profiles", "orders"):
            await connection.execute(f"vacuum analyze public.{table}")
        ways: dict[str, Count] = {
            "ours": await _examination(connection),
            "bare": lambda: _bare(connection),
            "bare, more memory": lambda: _bare_with_our_limits(connection),
        }
        found = {await count() for count in ways.values()}
        assert found == {rows // 100}, f"they must count the same: {found}"
        rounds = await interleave(laboratory.size(9, 1), {name: _timed(count, rows) for name, count in ways.items()})
    compare = Comparison(rounds, UNIT)
    figures = [
        compare.figure(f"orphans, 1 % of {rows:,} rows, {said}", "ours", name, Target(0.8))
        for name, said in (("bare", "beside an anti-join"), ("bare, more memory", "with as much memory"))
    ]
    kinds = {"ours": "ours"}
    bars = [Bar(said, rounds.median(name), kinds.get(name, "reference"), rounds.values[name]) for name, said in WAYS.items()]
    picture = Bars("Counting orphans", "median of the rounds (ticks)", UNIT, [Group(f"1 % of {rows:,} rows", bars)])
    return Report(NAME, figures, picture, rounds.values)


async def _examination(connection: Connection) -> Count:
    """Return what ``pgmend diagnose`` does with one reference, catalog included."""
    survey = Survey(connection, Wishes(sample=3))
    async with connection.transaction(readonly=True):
        await orphans.limit(connection, statement_seconds=600, lock_seconds=2)  # names are printed with their schemas
        (whose,) = await people.attached(connection, is_audited=True)
        reference = await references.named(connection, ("public.orders", "user_id"), (whose.profiles_table, whose.profiles_key))
    assert reference is not None, "the sample application has orders"

    async def count() -> int:
        return (await survey.examine(reference, (whose,))).orphans

    return count


async def _bare(connection: Connection) -> int:
    return int(await connection.fetchval(BARE))


async def _bare_with_our_limits(connection: Connection) -> int:
    async with connection.transaction(readonly=True):
        await orphans.limit(connection, statement_seconds=600, lock_seconds=2)
        return await _bare(connection)


def _timed(count: Count, rows: int) -> Lane:
    async def run() -> float:
        started = time.perf_counter()
        await count()
        return rows / (time.perf_counter() - started)

    return run
