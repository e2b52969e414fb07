"""Memory: what a real worker process holds while a million events pass through it."""

import asyncio
import subprocess

from bench import application, own
from bench.application import Filling
from bench.laboratory import Laboratory, connected
from bench.picture import Line
from bench.report import Figure, Report, Target
from worker.store.connection import Connection

NAME = "memory"
UNIT = "MiB"
WAVE = 20_000
FLAT = Target(1.1, at_most=True)

Sample = tuple[float, float]
"""Events settled so far, and the resident memory of the worker (MiB)."""


async def measure(laboratory: Laboratory) -> Report:
    """Let sign-ups come while the worker heals them, and compare the most it held in either half."""
    events = laboratory.size(1_000_000, 2 * WAVE)
    prepared = await laboratory.prepare(Filling())
    async with laboratory.copy(prepared) as url, own.worker(url) as worker, connected(url) as connection:
        samples = await _samples(connection, worker, events)
    early = max(mebibytes for settled, mebibytes in samples if settled <= events / 2)
    late = max(mebibytes for settled, mebibytes in samples if settled > events / 2)
    figure = Figure("memory, second half against first", UNIT, late, early, late / early, FLAT)
    note = f"resident memory of pgmend run while {events:,} sign-ups are healed"
    picture = Line("Memory of a worker", note, "events settled", UNIT, samples)
    return Report(NAME, [figure], picture, {UNIT: [mebibytes for _, mebibytes in samples]})


async def _samples(connection: Connection, worker: asyncio.subprocess.Process, events: int) -> list[Sample]:
    """Write waves; after each, when all but the last wave is settled, look at the worker."""
    samples: list[Sample] = []
    written = 0
    while not samples or samples[-1][0] < events:
        if written < events:
            await connection.execute(application.SIGN_UPS, WAVE, 0)
            written += WAVE
        await own.until(connection, f"(select count(*) from pgmend.outbox) <= {WAVE if written < events else 0}", worker)
        left = await connection.fetchval("select count(*) from pgmend.outbox")
        samples.append((written - left, resident(worker.pid)))
    return samples


def resident(pid: int) -> float:
    """Return the resident memory of a process in MiB."""
    command = ["/bin/ps", "-o", "rss=", "-p", str(pid)]
    return int(subprocess.run(command, check=True, capture_output=True).stdout) / 1024
