"""A worker that serves, observing its database often."""

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from tests.conftest import StartWorker
from tests.support.process import WorkerProcess
from tests.support.web import Client, client_of

Serve = Callable[..., Coroutine[Any, Any, tuple[WorkerProcess, Client]]]

OFTEN: dict[str, object] = {
    "http_port": 0,
    "observe_interval_seconds": 0.1,
    "observe_timeout_seconds": 0.5,
    "heartbeat_interval_seconds": 0.2,
    "heartbeat_timeout_seconds": 0.5,
    "statement_timeout_seconds": 1,
    "connect_timeout_seconds": 1,
    "sweep_interval_seconds": 0.2,
    "poll_interval_seconds": 1,
}


@pytest.fixture
def serve(start: StartWorker) -> Serve:
    """A function that starts a worker that serves on a free port, and returns it with a client."""

    async def serve_one(url: str | None = None, **settings: object) -> tuple[WorkerProcess, Client]:
        worker = await start(url=url, **(OFTEN | settings))
        return worker, await client_of(worker)

    return serve_one
