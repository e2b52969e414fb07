"""Settings that code inside a replay changes end with the replay."""

import pytest

from tests.support.database import count, sign_up
from tests.support.workload import report_order
from worker import pipeline
from worker.pipeline import Path
from worker.store.connection import Connection

CHANGE = """
    create function public.change() returns trigger language plpgsql as
    $$ begin perform set_config('{setting}', '{value}', {local}); return null; end $$;
    create trigger change after insert on public.orders for each row execute function public.change()
"""


@pytest.mark.parametrize("local", ["true", "false"])
@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("statement_timeout", "1"),
        ("lock_timeout", "1"),
        ("idle_in_transaction_session_timeout", "1"),
        ("default_transaction_read_only", "on"),
        ("row_security", "off"),
        ("pgmend.silent", "on"),
        ("client_encoding", "LATIN1"),
    ],
)
async def test_trigger_that_changes_a_setting_stops_nobody_else(
    connection: Connection, path: Path, setting: str, value: str, local: str
) -> None:
    """An application's trigger that gives itself little time leaves the worker all of its own."""
    await connection.execute(CHANGE.format(setting=setting, value=value, local=local))
    await report_order(connection, await sign_up(connection))
    read = "select coalesce(current_setting($1, true), '')"
    before = await path.connection.fetchval(read, setting)

    await pipeline.turn(path)

    assert await path.connection.fetchval(read, setting) == before
    assert await count(connection, "public.orders") == 1
