"""Spans: what the path settled, told to OpenTelemetry. The one module that knows its SDK; loaded only where that is configured.

A span is made once its batch is committed, with the times of then, so that no trace tells of an effect that was rolled back. It
has no personal value: the number of the event leads to everything else. A thread of the SDK sends them; what it cannot send it
drops, and says so.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from worker.core import span, trace
from worker.core.outcome import Outcome
from worker.core.span import Told
from worker.core.trace import Trace
from worker.log import Log
from worker.store.outbox import ExpressBatch
from worker.store.workers import Identity
from worker.tracing import Tracing

_SDK = "opentelemetry"
_NANOSECONDS = 1_000_000_000
_QUIET_SECONDS = 60.0


def begin(log: Log, identity: Identity) -> "Spans":
    """Return spans that go where OpenTelemetry's own settings say. Raises whatever its SDK raises for a wrong one."""
    voice = Voice(log)
    own = {"service.name": "pgmend", "service.version": identity.version, "service.instance.id": identity.worker_id}
    resource = Resource.create().merge(Resource(own)).merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return Spans(provider, voice, identity.version)


class Spans(Tracing):
    """A span for each event of the careful lane, below the application's own, and one for each express batch."""

    links = 32

    def __init__(self, provider: TracerProvider, voice: "Voice", version: str) -> None:
        """Make spans by a provider, which is ended with them."""
        self._provider = provider
        self._voice = voice
        self._tracer = provider.get_tracer("pgmend", version)

    def saw_express_batch(self, batch: ExpressBatch, seconds: float) -> None:
        """Make the span of a batch: linked to the traces of its sign-ups, or below the only one's."""
        if not batch.claimed:
            return
        traces = list(dict.fromkeys(found for text in batch.traceparents if (found := trace.parse(text))))
        told = span.of_express_batch(
            claimed=batch.claimed,
            healed=batch.healed,
            already_whole=batch.already_whole,
            last_event_id=batch.last_event_id,
        )
        parent, links = (traces[0], []) if traces and batch.claimed == 1 else (None, traces)
        now = time.time_ns()
        self._make(told, (now - _in_nanoseconds(seconds), now), parent, links)

    def saw_outcome(self, outcome: Outcome) -> None:
        """Make the span of an event, as long as its handling was."""
        began = time.time_ns() - _in_nanoseconds(time.perf_counter() - outcome.began)
        ended = began + _in_nanoseconds(outcome.duration_ms / 1000)
        self._make(span.of_outcome(outcome), (began, ended), outcome.event.trace)

    async def finish(self, *, within: float) -> None:
        """Send what is still to be sent. Who does not answer in time is left behind, with a thread that holds nothing up."""
        loop = asyncio.get_running_loop()
        sent = asyncio.Event()

        def send() -> None:
            self._provider.shutdown()
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(sent.set)

        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                threading.Thread(target=send, name="pgmend-spans", daemon=True).start()
                await sent.wait()
        self._voice.fall_silent()

    def _make(self, told: Told, times: tuple[int, int], parent: Trace | None, links: Sequence[Trace] = ()) -> None:
        began, ended = times
        made = self._tracer.start_span(
            told.name,
            context=set_span_in_context(NonRecordingSpan(_context(parent)), Context()) if parent else Context(),
            kind=SpanKind.CONSUMER,
            attributes=told.attributes,
            links=[Link(_context(link)) for link in links],
            start_time=began,
        )
        if told.error:
            made.set_attribute("error.type", told.error)
            made.set_status(Status(StatusCode.ERROR, told.error))
        made.end(ended)


class Voice(logging.Handler):
    """What the SDK has to say, as lines of our log: its exporter's complaints once a minute at most."""

    def __init__(self, log: Log) -> None:
        """Listen in place of whoever would print it to stderr."""
        super().__init__(logging.WARNING)
        self._log = log
        self._quiet_until = 0.0
        sdk = logging.getLogger(_SDK)
        sdk.handlers, sdk.propagate = [self], False

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line, unless there was one just now."""
        now = time.monotonic()
        if now >= self._quiet_until:
            self._quiet_until = now + _QUIET_SECONDS
            self._log.warning("tracing_failed", reason=record.getMessage())

    def fall_silent(self) -> None:
        """Write nothing from now on: a thread that is in the middle of a line when the process ends would abort it."""
        self.setLevel(logging.CRITICAL + 1)


def _context(of: Trace) -> SpanContext:
    flags = TraceFlags(TraceFlags.SAMPLED if of.is_sampled else TraceFlags.DEFAULT)
    return SpanContext(int(of.trace_id, 16), int(of.span_id, 16), is_remote=True, trace_flags=flags)


def _in_nanoseconds(seconds: float) -> int:
    return round(seconds * _NANOSECONDS)
