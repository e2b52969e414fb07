"""Integrity: the moment at which nothing is left to be put right."""

import asyncio

from demo.workers import Workers
from worker.store.connection import Connection

_SECONDS_BETWEEN_LOOKS = 0.05
_SECONDS_TO_INTEGRITY = 60.0
_SECONDS_FOR_EACH_USER = 0.005
_LEFT_OVER = """\
select string_agg(format('%s %s: %s', left_over.events, left_over.kind, left_over.reason), '; ')
from (
    select kind, coalesce(last_failure ->> 'message', 'never handled') as reason, count(*) as events
    from pgmend.outbox
    group by kind, reason
    order by events desc
    limit 3
) as left_over"""


async def integrity(connection: Connection, workers: Workers, users: int) -> str | None:
    """Wait until the outbox is empty. Return None, or what was left over at the deadline.

    Every event has to go: a capture of an unknown key after its grace period of 5 seconds, as a dead letter.
    """
    now = asyncio.get_running_loop().time
    deadline = now() + _SECONDS_TO_INTEGRITY + users * _SECONDS_FOR_EACH_USER
    while await connection.fetchval("select exists (select from pgmend.outbox)"):
        workers.require_alive()
        if now() > deadline:
            left_over: str | None = await connection.fetchval(_LEFT_OVER)
            return left_over
        await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
    return None
