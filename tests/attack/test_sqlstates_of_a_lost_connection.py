"""An error of the row itself is the event's own, whatever SQLSTATE the application gave it."""

import json

import pytest

from tests.support.database import count, sign_up
from tests.support.outbox import released
from tests.support.workload import report_order
from worker import pipeline
from worker.pipeline import Path
from worker.store.connection import Connection


@pytest.mark.parametrize("sqlstate", ["08001", "08006", "57P01", "57P03", "25006"])
async def test_trigger_that_speaks_of_a_lost_connection_stops_nobody_else(
    connection: Connection, path: Path, sqlstate: str
) -> None:
    """A foreign server that is away, said by a trigger in the words of a lost connection, is released with that failure."""
    await connection.execute(
        f"""
        create function public.refuse() returns trigger language plpgsql as
        $$ begin if new.amount = 10 then raise 'no' using errcode = '{sqlstate}'; end if; return new; end $$;
        create trigger refuse before insert on public.orders for each row execute function public.refuse()
        """
    )
    await report_order(connection, await sign_up(connection, "a@x"))
    row = json.dumps({"user_id": await sign_up(connection, "b@x"), "amount": 1})
    await connection.execute("select pgmend.report_failed_insert('public.orders', $1)", row)

    await pipeline.turn(path)

    assert await released(connection) == [(sqlstate, None)]
    assert await count(connection, "public.orders") == 1
