"""Bloat: how large the outbox is after very many events have gone through it, beside the room that one wave of them takes."""

from bench import application, own
from bench.application import Filling
from bench.laboratory import Laboratory, connected
from bench.picture import Line
from bench.report import Figure, Report, Target
from worker.store.connection import Connection

NAME = "bloat"
UNIT = "MiB"
WAVE = 20_000
FLAT = Target(1.5, at_most=True)


Sample = tuple[float, float]
"""Events settled so far, and the size of the outbox, indexes included (MiB)."""


async def measure(laboratory: Laboratory) -> Report:
    """Let sign-ups come while a worker heals them, autovacuum as the server has it; look at the sizes after each wave."""
    events = laboratory.events or laboratory.size(1_000_000, 3 * WAVE)
    prepared = await laboratory.prepare(Filling())
    async with laboratory.copy(prepared) as url, own.worker(url) as worker, connected(url) as connection:
        samples: list[Sample] = []
        for wave in range(1, -(-events // WAVE) + 1):
            await connection.execute(application.SIGN_UPS, WAVE, 0)
            await own.until(connection, "(select count(*) from pgmend.outbox) = 0", worker)
            samples.append((wave * WAVE, await _size(connection)))
    first, last = samples[0][1], samples[-1][1]
    half = max(size for settled, size in samples if settled <= events / 2 + WAVE)
    figures = [
        Figure(f"outbox after {events:,} events, against one wave of {WAVE:,}", UNIT, last, first, last / first),
        Figure("the same, against the largest of the first half", UNIT, last, half, last / half, FLAT),
    ]
    note = f"table and index of the express lane, after each wave of {WAVE:,} sign-ups is healed"
    return Report(
        NAME, figures, Line("Bloat of the outbox", note, "events settled", UNIT, samples), {UNIT: [it[1] for it in samples]}
    )


async def _size(connection: Connection) -> float:
    return float(await connection.fetchval("select pg_total_relation_size('pgmend.express_events') / 1048576.0"))
