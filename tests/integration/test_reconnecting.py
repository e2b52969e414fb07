"""Opening a connection again: patiently, and not at once when the last one did not live."""

import pytest

from tests.support.activity import terminate
from tests.support.database import Database
from worker.log import Log
from worker.runtime.reconnecting import LostConnectionError, session
from worker.runtime.stopping import Stop
from worker.store.connection import Connection, Target


class RecordingStop(Stop):
    """A stop whose waits end at once and are remembered."""

    def __init__(self) -> None:
        """Start without a wait."""
        super().__init__()
        self.waits: list[float | None] = []

    async def wait(self, seconds: float | None = None) -> bool:
        """Remember the wait."""
        self.waits.append(seconds)
        return self.is_requested()


async def test_connection_that_is_dropped_at_once_is_not_opened_again_at_once(
    database: Database, connection: Connection, log: Log
) -> None:
    """A server or pooler that accepts and drops would otherwise be asked as fast as it can answer."""
    stop = RecordingStop()

    async def lose() -> None:
        async with session(Target(database.url), log, stop) as dropped:
            await terminate(connection, dropped.get_server_pid())
            await dropped.fetchval("select 1")

    with pytest.raises(LostConnectionError):
        await lose()

    assert len(stop.waits) == 1


async def test_connection_that_ends_in_peace_is_followed_by_no_pause(database: Database, log: Log) -> None:
    """Only a loss is a reason to wait."""
    stop = RecordingStop()
    async with session(Target(database.url), log, stop) as connection:
        await connection.fetchval("select 1")

    assert stop.waits == []
