"""Dead letters for a test, as the worker leaves them."""

import json

from tests.support.database import sign_up
from tests.support.outbox import due_now
from tests.support.workload import TOO_LONG
from worker import pipeline
from worker.pipeline import Path
from worker.store.connection import Connection


async def dead_order(connection: Connection, path: Path) -> int:
    """Set an order aside whose user's profile the database refuses; return its event."""
    key = await sign_up(connection, name=TOO_LONG)
    row = "jsonb_build_object('user_id', $1::text, 'amount', 4711.42)"
    receipt = json.loads(await connection.fetchval(f"select pgmend.insert_or_park('public.orders', {row})", key))
    await pipeline.turn(path)
    await due_now(connection)
    await pipeline.turn(path)
    return int(receipt["event_id"])
