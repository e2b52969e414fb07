"""Captured rows that refer to each other: none can stand first."""

import json
import uuid

from tests.support.database import sign_up
from tests.support.outbox import dead_letters, due_now
from worker import pipeline
from worker.pipeline import Path
from worker.store.connection import Connection

LINES = """
    create table public.lines (line_id uuid primary key, order_id uuid references public.orders (id));
    alter table public.orders add column main_line uuid constraint orders_main_line_fkey references public.lines (line_id)
"""


async def test_captured_rows_that_refer_to_each_other_are_put_in_front_of_a_person(connection: Connection, path: Path) -> None:
    """An order that names its main line and a line that names its order wait for each other only once."""
    await connection.execute(LINES)
    order, line = str(uuid.uuid4()), str(uuid.uuid4())
    rows = {
        "public.orders": {"id": order, "user_id": await sign_up(connection), "amount": 1, "main_line": line},
        "public.lines": {"line_id": line, "order_id": order},
    }
    for table, row in rows.items():
        await connection.execute("select pgmend.insert_or_park($1::text::regclass, $2)", table, json.dumps(row))

    for _ in range(6):
        await due_now(connection)
        await pipeline.turn(path)

    assert ("refused", "23503") in await dead_letters(connection)
