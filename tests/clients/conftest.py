"""A writer to log in as, and the application that a client inserts into."""

from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import asyncpg
import pytest

from tests.clients.application import WRITER, Application, Stage, set_stage
from tests.support.database import Database, drop_database
from worker.embedded import Cluster

SetStage = Callable[[Application], Coroutine[Any, Any, Stage]]


@pytest.fixture
async def stage_for(cluster: Cluster, database: Database) -> AsyncIterator[SetStage]:
    """A function that makes an application ready in the test's database; the writer's role goes with it."""
    admin = await asyncpg.connect(cluster.url())
    await admin.execute(f"create role {WRITER} login")

    async def stage_for(application: Application) -> Stage:
        return await set_stage(application, database)

    yield stage_for
    await drop_database(database)
    await admin.execute(f"drop role {WRITER}")
    await admin.close()
