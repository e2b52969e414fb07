"""What each capture costs an insert whose profile is there, beside the plain foreign key."""

import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from bench import pgbench
from bench.application import Filling
from bench.laboratory import Laboratory
from bench.own import connected
from bench.picture import Bar, Bars, Group
from bench.report import Comparison, Report, Target
from bench.rounds import Lane, interleave

NAME = "guard"
UNIT = "rows/s"
BUYERS = 10_000
KNOWN_USERS = f"""
alter table public.users disable trigger user;
insert into public.users (id, email)
select md5(number::text)::uuid, 'buyer' || number from generate_series(1, {BUYERS}) as number;
insert into public.profiles (id, name) select id, email from public.users where email like 'buyer%';
alter table public.users enable trigger user;
"""
GUARD = "select pgmend.guard('public.orders', 'fk_orders_user_id', mode => '{}');"
SCRIPT = f"""\\set number random(1, {BUYERS})
insert into public.orders (user_id, amount) values (md5(:number::text)::uuid, 9.90);
"""
INSERT_OR_PARK = f"""\\set number random(1, {BUYERS})
select pgmend.insert_or_park('public.orders', jsonb_build_object('user_id', md5(:number::text), 'amount', 9.90));
"""
WAYS = {
    "plain": ("foreign key alone", ""),
    "ensure": ("ensure", GUARD.format("ensure")),
    "park": ("park", GUARD.format("park")),
}
KINDS = {"single": "single rows, 8 writers", "copy": "COPY"}


async def measure(laboratory: Laboratory) -> Report:
    """Insert single rows with eight writers, and rows with COPY, each with and without the guard in turn."""
    prepared = {
        name: await laboratory.prepare(Filling(statements=KNOWN_USERS + statements)) for name, (_, statements) in WAYS.items()
    }
    with tempfile.TemporaryDirectory() as folder:
        script, function = Path(folder) / "order.sql", Path(folder) / "function.sql"
        script.write_text(SCRIPT)
        function.write_text(INSERT_OR_PARK)
        lanes: dict[str, Lane] = {}
        for name, template in prepared.items():
            lanes[f"{name}, single"] = _single(laboratory, template, script)
            lanes[f"{name}, copy"] = _copy(laboratory, template)
        lanes["insert_or_park, single"] = _single(laboratory, prepared["plain"], function)
        rounds = await interleave(laboratory.size(9, 1), lanes)
    compare = Comparison(rounds, UNIT)
    figures = [
        compare.figure(f"{name}, profile exists, {label}", f"{name}, {kind}", f"plain, {kind}", target)
        for name, target in (("ensure", Target(0.8)), ("park", None))
        for kind, label in KINDS.items()
    ]
    figures.append(compare.figure("insert_or_park, profile exists, 8 writers", "insert_or_park, single", "plain, single"))
    groups = [
        Group(
            label,
            [
                Bar(
                    said,
                    rounds.median(f"{name}, {kind}"),
                    "reference" if name == "plain" else "ours",
                    rounds.values[f"{name}, {kind}"],
                )
                for name, (said, _) in WAYS.items()
            ],
        )
        for kind, label in KINDS.items()
    ]
    picture = Bars("What a guard costs an insert whose profile is there", "median of the rounds (ticks)", UNIT, groups)
    return Report(NAME, figures, picture, rounds.values)


def _single(laboratory: Laboratory, prepared: str, script: Path) -> Lane:
    command = pgbench.command(laboratory, writers=8, script=script)

    async def run() -> float:
        async with laboratory.copy(prepared) as url:
            return await pgbench.rate([*command, url])

    return run


def _copy(laboratory: Laboratory, prepared: str) -> Lane:
    rows = laboratory.size(200_000, 1_000)

    async def run() -> float:
        async with laboratory.copy(prepared) as url, connected(url) as connection:
            keys = [row[0] for row in await connection.fetch("select id from public.profiles where name like 'buyer%'")]
            started = time.perf_counter()
            await connection.copy_records_to_table("orders", records=_orders(keys, rows), columns=["user_id", "amount"])
            return rows / (time.perf_counter() - started)

    return run


def _orders(keys: list[uuid.UUID], rows: int) -> Iterator[tuple[uuid.UUID, int]]:
    return ((keys[number % len(keys)], 1) for number in range(rows))
