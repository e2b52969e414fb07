"""The exposition: what ``/metrics`` shows, from a registry of its own. A scrape asks the database nothing."""

import time
from collections.abc import Callable, Iterator
from typing import Any

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from worker.core.gauges import GAUGES, Gauge, Values
from worker.core.meter import Count, Spread
from worker.core.meters import Meters
from worker.core.observation import Observation
from worker.core.readiness import STATES, unreadiness
from worker.web.site import Site

# Without types in prometheus_client.
_as_text: Callable[[CollectorRegistry], bytes] = generate_latest
_as_open_metrics: Callable[[CollectorRegistry], bytes] = openmetrics.generate_latest
_bound: Callable[[float], str] = floatToGoString

_FRESH_SECONDS = 0.5
"""Scrapes that come more often than that are shown the same: a storm of them costs next to nothing."""


class Exposition:
    """The metrics of one worker, as text."""

    def __init__(self, site: Site) -> None:
        """Collect from this site."""
        self._registry = make_registry(site)
        self._written = {is_open: (float("-inf"), b"") for is_open in (False, True)}

    def write(self, accept: str) -> tuple[bytes, str]:
        """Return the text in the format that the scraper prefers, and its content type."""
        is_open = "application/openmetrics-text" in accept
        at, text = self._written[is_open]
        if time.monotonic() - at > _FRESH_SECONDS:
            text = _as_open_metrics(self._registry) if is_open else _as_text(self._registry)
            self._written[is_open] = (time.monotonic(), text)
        return text, openmetrics.CONTENT_TYPE_LATEST if is_open else CONTENT_TYPE_PLAIN_0_0_4


def make_registry(site: Site) -> CollectorRegistry:
    """Return a registry with everything that is known of a site's worker and its database."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(MeterCollector(site.worker.meters))
    registry.register(SiteCollector(site))
    ProcessCollector(registry=registry)
    return registry


class MeterCollector(Collector):
    """What the process has counted itself."""

    def __init__(self, meters: Meters) -> None:
        """Read these meters."""
        self._meters = meters

    def collect(self) -> Iterator[Metric]:
        """Yield every meter."""
        for meter in self._meters:
            yield _counter(meter) if isinstance(meter, Count) else _histogram(meter)


class SiteCollector(Collector):
    """How the worker is, and what was last seen of its database."""

    def __init__(self, site: Site) -> None:
        """Read this site."""
        self._site = site

    def collect(self) -> Iterator[Metric]:
        """Yield every gauge; those of the database without a value while it is not seen."""
        for own in OWN_GAUGES:
            yield _gauge(own, own.read(self._site))
        observation = _fresh_observation(self._site)
        for gauge in GAUGES:
            yield _gauge(gauge, gauge.read(observation) if observation else ())


def _fresh_observation(site: Site) -> Observation | None:
    seen = site.observatory.seen
    return seen.observation if seen.age <= site.limits.observation_age else None


def _hears(site: Site) -> bool:
    vitals = site.worker.vitals
    return vitals.listener.is_connected and vitals.hears


def _red(site: Site) -> set[str]:
    return {reason.code for reason in unreadiness(site.worker.vitals, site.observatory.seen, site.limits)}


OWN_GAUGES: tuple[Gauge[Site], ...] = (
    Gauge(
        "pgmend_build_info",
        "The version of this worker",
        ("version",),
        lambda site: [((site.worker.identity.version,), 1)],
    ),
    Gauge("pgmend_ready", "Whether the worker is ready, as /readyz says", (), lambda site: [((), not _red(site))]),
    Gauge(
        "pgmend_unready_reasons",
        "The reasons for which it is not",
        ("reason",),
        lambda site: [((state,), state in red) for red in [_red(site)] for state in STATES],
    ),
    Gauge(
        "pgmend_task_overdue_seconds",
        "For how long a task should have been heard of, as /livez says",
        ("task",),
        lambda site: [((pulse.name,), pulse.overdue()) for pulse in site.worker.vitals],
    ),
    Gauge("pgmend_listener_up", "Whether the listener is connected and hears", (), lambda site: [((), _hears(site))]),
    Gauge(
        "pgmend_database_up",
        "Whether the database has answered the last observation",
        (),
        lambda site: [((), _fresh_observation(site) is not None)],
    ),
)
"""How the worker is."""


def _counter(count: Count) -> Metric:
    family = CounterMetricFamily(count.name, count.help, labels=count.labels)
    for labels, value in count.values.items():
        family.add_metric(labels, value)
    return family


def _histogram(spread: Spread) -> Metric:
    family = HistogramMetricFamily(spread.name, spread.help, labels=spread.labels)
    bounds = [*(_bound(bound) for bound in spread.bounds), "+Inf"]
    for labels, buckets in spread.values.items():
        so_far, cumulative = 0, []
        for bound, count in zip(bounds, buckets.counts, strict=True):
            so_far += count
            cumulative.append((bound, so_far))
        family.add_metric(labels, cumulative, buckets.sum)
    return family


def _gauge(gauge: Gauge[Any], values: Values) -> Metric:
    family = GaugeMetricFamily(gauge.name, gauge.help, labels=gauge.labels)
    for label_values, value in values:
        if value is not None:
            family.add_metric(label_values, float(value))
    return family
