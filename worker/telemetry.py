"""Whether spans are wanted and can be had. Settings named OTEL_… are OpenTelemetry's own: here is only asked whether it has any.

Nothing of OpenTelemetry is loaded before that is known, and nothing about it keeps a worker from its work.
"""

from collections.abc import Mapping

from worker.log import Log
from worker.store.workers import Identity
from worker.tracing import Tracing

_EXPORTERS = frozenset({"otlp", "otlp_proto_http"})
_PROTOCOL = "http/protobuf"


def make_tracing(environment: Mapping[str, str], log: Log, identity: Identity) -> Tracing:
    """Return what makes spans, if the environment configures it; where that cannot be done, the log says why not."""
    if not is_configured(environment):
        return Tracing()
    reason = _unsupported(environment)
    if reason:
        log.warning("tracing_unavailable", reason=reason, hint="spans are sent by OTLP over HTTP (http/protobuf)")
        return Tracing()
    try:
        from worker import spans  # noqa: PLC0415 - OpenTelemetry is an extra

        tracing = spans.begin(log, identity)
    except ImportError as error:
        log.warning("tracing_unavailable", reason=str(error), hint="install pgmend with the extra tracing, or unset OTEL_…")
        return Tracing()
    except Exception as error:  # noqa: BLE001 - whatever a setting of OpenTelemetry breaks there is no reason not to heal
        log.warning("tracing_unavailable", reason=f"{type(error).__name__}: {error}", hint="look at the settings OTEL_…")
        return Tracing()
    log.info("tracing_started")
    return tracing


def is_configured(environment: Mapping[str, str]) -> bool:
    """Return whether somebody wants spans: by naming an exporter, or where it sends to."""
    if _said(environment, "OTEL_SDK_DISABLED") == "true":
        return False
    exporter = _said(environment, "OTEL_TRACES_EXPORTER")
    if exporter:
        return exporter != "none"
    return bool(_said(environment, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"))


def _unsupported(environment: Mapping[str, str]) -> str | None:
    """Return which setting asks for something that the extra does not bring."""
    exporter = _said(environment, "OTEL_TRACES_EXPORTER") or "otlp"
    if exporter not in _EXPORTERS:
        return f"OTEL_TRACES_EXPORTER={exporter}"
    protocol = _said(environment, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL") or _PROTOCOL
    return None if protocol == _PROTOCOL else f"OTEL_EXPORTER_OTLP_PROTOCOL={protocol}"


def _said(environment: Mapping[str, str], *names: str) -> str:
    """Return the first of these settings that is set."""
    return next((value for name in names if (value := environment.get(name, "").strip().lower())), "")
