"""Without OpenTelemetry: not configured, switched off, not installed, or asked for something that the extra does not bring."""

import signal
import sys

import pytest

from tests.conftest import StartWorker
from tests.support.database import sign_up
from tests.support.workload import settled
from worker.store.connection import Connection

LOADED = (sys.executable, "-m", "tests.support.loaded")
SOMEWHERE = "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:9"


async def run(start: StartWorker, connection: Connection, *command: str) -> tuple[list[dict[str, object]], list[str]]:
    """Let a worker heal a sign-up and stop; return its lines and the modules that it had loaded."""
    worker = await start("env", *command)
    await sign_up(connection)
    await settled(connection)
    worker.send(signal.SIGTERM)
    assert await worker.ended() == 0
    return worker.lines, worker.lines[-1]["names"]


@pytest.mark.parametrize(
    "settings",
    [(), (SOMEWHERE, "OTEL_SDK_DISABLED=true"), (SOMEWHERE, "OTEL_TRACES_EXPORTER=none")],
    ids=["nothing said", "disabled", "no exporter"],
)
async def test_nothing_of_opentelemetry_is_loaded_unless_it_is_wanted(
    start: StartWorker, connection: Connection, settings: tuple[str, ...]
) -> None:
    """Neither the SDK nor our own module of spans, and the log has no word about it."""
    lines, modules = await run(start, connection, *settings, *LOADED)

    assert "worker.tracing" in modules
    assert not [name for name in modules if name.startswith(("opentelemetry", "worker.spans", "google.protobuf", "requests"))]
    assert not [line for line in lines if str(line["event"]).startswith("tracing")]


async def test_worker_without_the_package_works_and_says_what_to_install(start: StartWorker, connection: Connection) -> None:
    """Configured but not installed: one warning with a hint, and profiles are made."""
    lines, modules = await run(start, connection, SOMEWHERE, *LOADED, "opentelemetry")

    (warning,) = [line for line in lines if line["level"] != "info"]
    assert warning["event"] == "tracing_unavailable"
    assert "extra tracing" in str(warning["hint"])
    assert "opentelemetry" not in modules


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (("OTEL_TRACES_EXPORTER=console",), "OTEL_TRACES_EXPORTER=console"),
        ((SOMEWHERE, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc"), "OTEL_EXPORTER_OTLP_PROTOCOL=grpc"),
        ((SOMEWHERE, "OTEL_BSP_MAX_QUEUE_SIZE=-1"), "ValueError"),
    ],
)
async def test_setting_that_cannot_be_obeyed_is_named_and_the_worker_works(
    start: StartWorker, connection: Connection, settings: tuple[str, ...], reason: str
) -> None:
    """Spans are no reason not to heal."""
    lines, _ = await run(start, connection, *settings, *LOADED)

    (warning,) = [line for line in lines if line["level"] != "info"]
    assert warning["event"] == "tracing_unavailable"
    assert str(warning["reason"]).startswith(reason)
