"""What ``/metrics`` can show: every metric of our own, with its type, labels and sentence."""

from collections.abc import Iterator

from worker.core.gauges import GAUGES
from worker.core.meter import Count
from worker.core.meters import Meters
from worker.web.exposition import OWN_GAUGES

Described = tuple[str, str, tuple[str, ...], str]


def described() -> Iterator[Described]:
    """Yield name as a query writes it, type, labels and sentence."""
    for meter in Meters():
        if isinstance(meter, Count):
            yield f"{meter.name}_total", "counter", meter.labels, meter.help
        else:
            yield meter.name, "histogram", meter.labels, meter.help
    for own in OWN_GAUGES:
        yield own.name, "gauge", own.labels, own.help
    for gauge in GAUGES:
        yield gauge.name, "gauge", gauge.labels, gauge.help


def series() -> set[str]:
    """Return every name that a query may use, those of the process included."""
    own = {
        shown
        for name, kind, _, _ in described()
        for shown in ([f"{name}_{part}" for part in ("bucket", "sum", "count")] if kind == "histogram" else [name])
    }
    return own | {"up", "process_resident_memory_bytes", "process_cpu_seconds_total"}
