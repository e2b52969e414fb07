"""A collector of spans: what OpenTelemetry's exporter is told to send to, decoded by the generated classes of its protocol."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.support.process import COMMAND
from tests.support.waiting import eventually

_PATH = "/v1/traces"


@dataclass(frozen=True, slots=True)
class Seen:
    """One span that arrived, and what it says of who sent it."""

    span: Span
    resource: dict[str, object]

    @property
    def attributes(self) -> dict[str, object]:
        """Return the attributes by their names."""
        return _plain(self.span.attributes)

    @property
    def parent(self) -> tuple[str, str]:
        """Return trace and span above it, in hexadecimal digits; the span is empty for a root."""
        return self.span.trace_id.hex(), self.span.parent_span_id.hex()


@dataclass(slots=True)
class Collector:
    """Listens on loopback, and keeps every span."""

    seen: list[Seen] = field(default_factory=list)
    asked: int = 0
    port: int = 0
    _runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen on a free port."""
        application = web.Application()
        application.router.add_post(_PATH, self._receive)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Listen no more."""
        if self._runner:
            await self._runner.cleanup()

    async def received(self, attribute: str, value: object, *, within: float = 20.0) -> Seen:
        """Wait for a span with that attribute, and return it."""

        async def look() -> Seen | None:
            return next((seen for seen in self.seen if seen.attributes.get(attribute) == value), None)

        found = await eventually(look, within=within)
        assert found is not None
        return found

    async def _receive(self, request: web.Request) -> web.Response:
        self.asked += 1
        for spans in ExportTraceServiceRequest.FromString(await request.read()).resource_spans:
            resource = _plain(spans.resource.attributes)
            self.seen += [Seen(span, resource) for scope in spans.scope_spans for span in scope.spans]
        return web.Response(content_type="application/x-protobuf")


def traced(port: int, **settings: object) -> tuple[str, ...]:
    """Return the command of a worker whose spans go to that port at once (``bsp_schedule_delay=5000`` is one more setting)."""
    given = {"exporter_otlp_endpoint": f"http://127.0.0.1:{port}", "bsp_schedule_delay": 20} | settings
    return ("env", *(f"OTEL_{name.upper()}={value}" for name, value in given.items()), *COMMAND, "run")


def _plain(attributes: Sequence[KeyValue]) -> dict[str, object]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value") or "string_value") for each in attributes}
