"""Counting: how many users of each source are without a profile, and which sources fail, so that nobody can be counted.

One failing source hides no other. What it fails with is kept beside the counts, which are those of before from then on.
"""

from collections.abc import Awaitable, Callable, Mapping

import asyncpg

from worker.core.failure import Failure
from worker.core.source_failure import SourceFailure, judge
from worker.core.vitals import Pulse
from worker.store import integrity, profiles, retention
from worker.store.connection import Connection, failure_of, is_lost

Counting = Callable[[Connection, int], Awaitable[None]]
"""Counts the users of one source."""


async def count(connection: Connection, pulse: Pulse | None = None) -> Mapping[int, SourceFailure]:
    """Count; return what fails, by source: nothing where that is left to another worker, who sweeps."""
    return await _judged(connection, integrity.count_users, pulse or Pulse())


async def examine(connection: Connection, pulse: Pulse | None = None) -> Mapping[int, SourceFailure]:
    """Look whether the sources work, without counting, and return the same. A sweep elsewhere is not held up by that."""
    return await _judged(connection, None, pulse or Pulse())


async def _judged(connection: Connection, counts: Counting | None, pulse: Pulse) -> Mapping[int, SourceFailure]:
    async with connection.transaction():
        if not await (profiles.lock_sweep if counts else profiles.lock_look)(connection):
            return {}
        recurring = await integrity.recurring_failures(connection)
        judged: dict[int, SourceFailure | None] = {}
        for source_id in await retention.sources(connection):
            pulse.go_on()
            judged[source_id] = judge(await _met(connection, source_id, counts), recurring.get(source_id, ()))
    # In a transaction of its own: whoever attaches the source again takes the failure back, and counting may take long.
    async with connection.transaction():
        await integrity.keep_failures(connection, judged)
    return {source_id: failure for source_id, failure in judged.items() if failure is not None}


async def _met(connection: Connection, source_id: int, counts: Counting | None) -> Failure | None:
    """Try what the worker does, count where that is wanted, and return what was met."""
    try:
        async with connection.transaction():
            for refused in await profiles.refused_conditions(connection, source_id):
                return refused.told
            await profiles.try_source(connection, source_id)
            if counts:
                await counts(connection, source_id)
    except asyncpg.PostgresError as error:
        if is_lost(error, connection):
            raise
        return failure_of(error)
    return None
