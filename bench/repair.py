"""How fast orphans go into the quarantine, beside one hand-written statement that deletes and inserts them in one transaction."""

import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench.application import Filling
from bench.laboratory import Laboratory
from bench.own import connected
from bench.picture import Bar, Bars, Group
from bench.report import Comparison, Figure, Report, Target
from bench.rounds import Lane, interleave
from worker.repair_planning import Planning, Wishes
from worker.repair_run import Pacing, Progress, RepairRun, begin
from worker.store import repairs
from worker.store.connection import Connection

NAME = "repair"
UNIT = "rows/s"
BUYERS = 100_000
ONE_IN = 100
FILLING = f"""
    alter table public.users disable trigger user;
    alter table public.orders drop constraint fk_orders_user_id;
    delete from pgmend.guarded_constraints where referencing_table = 'public.orders'::regclass;
    insert into public.users (id, email)
    select md5(number::text)::uuid, 'buyer' || number from generate_series(1, {BUYERS}) as number;
    insert into public.profiles (id, name) select id, email from public.users where email like 'buyer%';
    insert into public.orders (user_id, amount)
    select
        md5(case when number % {ONE_IN} = 0 then 'lost' || number else (number % {BUYERS} + 1)::text end)::uuid,
        9.90
    from generate_series(1, {{rows}}) as number;
    create table public.orders_by_hand (like public.orders, reason text, taken_at timestamptz default clock_timestamp());
    alter table public.users enable trigger user
"""
BY_HAND = """
    with gone as (
        delete from public.orders as orphan
        where not exists (select from public.profiles as profile where profile.id = orphan.user_id)
        returning orphan.*
    )
    insert into public.orders_by_hand select gone.*, 'gone' from gone
"""
LEFT = "select count(*) from public.orders where not exists (select from public.profiles where profiles.id = user_id)"
REFERENCE = "public.orders.user_id=public.profiles.id"
FLAT = Target(1.1, at_most=True)

Work = Callable[[Connection], Awaitable[float]]


@dataclass(slots=True)
class Holding:
    """The most that a session of the server held of its own (MiB), in either half of a repair in batches of one size."""

    early: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)

    def figure(self) -> Figure:
        """Return the second half beside the first."""
        early, late = max(self.early), max(self.late)
        return Figure("memory of the repair's session, second half against first", "MiB", late, early, late / early, FLAT)

    async def watch(self, connection: Connection) -> float:
        """Repair, and look at the session after each batch."""
        pid = connection.get_server_pid()
        return await _repair(connection, Pacing(batch_size=100), lambda progress: self._look(progress, pid))

    def _look(self, progress: Progress, pid: int) -> None:
        half = self.early if progress.done <= progress.step.rows_planned / 2 else self.late
        half.append(_private_memory(pid))


async def measure(laboratory: Laboratory) -> Report:
    """Take the orphans out of a large table: batch by batch, and in one transaction."""
    rows = laboratory.size(5_000_000, 40_000)
    prepared = await laboratory.prepare(Filling(statements=FILLING.format(rows=rows)))
    lanes = {name: _lane(laboratory, prepared, rows // ONE_IN, work) for name, work in WAYS.items()}
    rounds = await interleave(laboratory.size(3, 1), lanes)
    holding = Holding()
    await _lane(laboratory, prepared, rows // ONE_IN, holding.watch)()
    figure = Comparison(rounds, UNIT).figure(f"orphans repaired, 1 % of {rows:,} rows", "ours", "by hand", Target(0.5))
    bars = [
        Bar("pgmend repair", rounds.median("ours"), "ours", rounds.values["ours"]),
        Bar("one transaction by hand", rounds.median("by hand"), "reference", rounds.values["by hand"]),
    ]
    note = "median of the rounds (ticks); the search for the orphans included"
    return Report(
        NAME, [figure, holding.figure()], Bars("Orphans into the quarantine", note, UNIT, [Group("", bars)]), rounds.values
    )


def _lane(laboratory: Laboratory, prepared: str, orphans: int, work: Work) -> Lane:
    async def run() -> float:
        async with laboratory.copy(prepared) as url, connected(url) as connection:
            # The copy has left the buffers full of its own dirty pages, which whoever reads first would have to write.
            await connection.execute("set enable_seqscan = on; checkpoint")
            seconds = await work(connection)
            left = await connection.fetchval(LEFT)
            assert left == 0
            return orphans / seconds

    return run


async def _ours(connection: Connection) -> float:
    return await _repair(connection, Pacing(), lambda _: None)


async def _repair(connection: Connection, pacing: Pacing, report: Callable[[Progress], None]) -> float:
    await repairs.settle_session(connection, lock_timeout=0.5)
    plan = await Planning(connection, Wishes([REFERENCE], only=[REFERENCE])).run()
    repair_id = await begin(connection, plan, audit="batch", search_path="public")
    started = time.perf_counter()
    await RepairRun(connection, repair_id, "public", pacing, report).run()
    return time.perf_counter() - started


async def _by_hand(connection: Connection) -> float:
    started = time.perf_counter()
    await connection.execute(BY_HAND)
    return time.perf_counter() - started


def _private_memory(pid: int) -> float:
    """Return what a process holds without what it shares, in MiB."""
    found = re.search(r"^RssAnon:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) / 1024


WAYS: dict[str, Work] = {"ours": _ours, "by hand": _by_hand}
