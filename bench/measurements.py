"""The measurements by name, in the order in which they run."""

from collections.abc import Awaitable, Callable

from bench import bloat, drain, guard, held_snapshot, latency, memory, operating, orphans, others, repair, sign_up, workers
from bench.laboratory import Laboratory
from bench.report import Report

Measurement = Callable[[Laboratory], Awaitable[Report]]

MEASUREMENTS: dict[str, Measurement] = {
    drain.NAME: drain.measure,
    latency.NAME: latency.measure,
    sign_up.NAME: sign_up.measure,
    guard.NAME: guard.measure,
    held_snapshot.NAME: held_snapshot.measure,
    repair.NAME: repair.measure,
    others.NAME: others.measure,
    memory.NAME: memory.measure,
    orphans.NAME: orphans.measure,
    operating.NAME: operating.measure,
    bloat.NAME: bloat.measure,
    workers.NAME: workers.measure,
}
