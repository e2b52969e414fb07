"""Roles of a test's own, as the integration tests have them."""

import pytest

from tests.integration.conftest import LogIn, MakeRole, log_in, make_role, writer
from worker.log import Log
from worker.pipeline import Path

__all__ = ["log_in", "make_role", "writer"]


@pytest.fixture
async def lent(make_role: MakeRole, log_in: LogIn, log: Log) -> Path:
    """The path of a worker that is a member of pgmend_worker and of nothing else."""
    await make_role("lent_worker", "login in role pgmend_worker")
    return Path(await log_in("lent_worker"), log)
