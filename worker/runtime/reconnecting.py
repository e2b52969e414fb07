"""A connection that is opened again and again: the retry of seconds, inside the process, never mixed with an event's."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    stop_after_delay,
    stop_never,
    wait_random_exponential,
)

from worker.core.vitals import Pulse
from worker.errors import ServerUnreachableError
from worker.log import Log
from worker.runtime.stopping import Stop
from worker.store.connection import LOST, Connection, Target, close, connect, is_lost

_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 15.0
_SHORT_LIFE_SECONDS = 0.5
"""A connection that ends so soon was perhaps never good: a server that accepts and drops is not asked again at once."""


async def connect_patiently(target: Target, log: Log, *, within: float | None = None, stop: Stop | None = None) -> Connection:
    """Open a connection, trying again with backoff and jitter while the server is out of reach.

    ``within`` seconds, or for ever when None. Any error but an unreachable server is raised at once; a stop ends the patience
    with LostConnectionError.
    """

    def report(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        seconds = state.next_action.sleep if state.next_action else 0
        log.warning("connection_failed", reason=str(error), attempt=state.attempt_number, retry_in_ms=round(seconds * 1000))

    async def pause(seconds: float) -> None:
        if stop is None:
            await asyncio.sleep(seconds)
        elif await stop.wait(seconds):
            raise LostConnectionError("stopped while the server was out of reach")

    retrying = AsyncRetrying(
        retry=retry_if_exception_type(ServerUnreachableError),
        wait=wait_random_exponential(multiplier=_FIRST_PAUSE_SECONDS, max=_LONGEST_PAUSE_SECONDS),
        stop=stop_never if within is None else stop_after_delay(within),
        sleep=pause,
        before_sleep=report,
        reraise=True,
    )
    return await retrying(connect, target)


@asynccontextmanager
async def session(target: Target, log: Log, stop: Stop, pulse: Pulse | None = None) -> AsyncIterator[Connection]:
    """Yield a connection and close it afterwards. A lost connection ends the block with LostConnectionError.

    ``pulse`` learns that its task is connecting, which takes as long as it takes, and whether it is connected.
    """
    now = asyncio.get_running_loop().time
    pulse = pulse or Pulse()
    pulse.expect(None, "connects")
    connection = await connect_patiently(target, log, stop=stop)
    opened = now()
    pulse.is_connected = True
    try:
        yield connection
    except (asyncpg.PostgresError, *LOST) as error:
        if not is_lost(error, connection):
            raise
        connection.terminate()
        if now() - opened < _SHORT_LIFE_SECONDS:
            await stop.wait(_SHORT_LIFE_SECONDS)
        raise LostConnectionError(str(error) or type(error).__name__) from error
    finally:
        pulse.is_connected = False
        pulse.expect(None, "has no connection")
        if not connection.is_closed():
            await asyncio.shield(close(connection))


class LostConnectionError(Exception):
    """The connection went away under its user; what was open is rolled back by the server."""
