"""Who has the worker's role can insert a captured row in a writer's name, and run nothing of their own there."""

import json

import pytest

from tests.support.database import sign_up
from worker.pipeline import Path
from worker.store.connection import Connection

SPY = """
    create function pg_temp.spy(given pg_catalog.text) returns boolean language plpgsql as
    $$ begin raise notice '%', current_user; return true; end $$;
    create function pg_temp.spy(given pg_catalog.jsonb) returns boolean language plpgsql as
    $$ begin raise notice '%', current_user; return true; end $$
"""


@pytest.mark.parametrize("only_look", ["true", "false"])
@pytest.mark.parametrize("namesake", ["jsonb", "text", "uuid"])
@pytest.mark.usefixtures("writer")
async def test_workers_temporary_types_are_not_read_with_a_writers_rights(
    connection: Connection, lent: Path, namesake: str, only_look: str
) -> None:
    """A temporary type named like one of the catalog stands for nothing in the statement that runs as the writer."""
    seen: set[str] = set()
    lent.connection.add_log_listener(lambda _, message: seen.add(message.message or ""))
    await connection.execute("grant select on public.leads to shop_writer")
    await lent.connection.execute(SPY)
    check = "value" if namesake == "jsonb" else "value::pg_catalog.text"
    await lent.connection.execute(f"create domain pg_temp.{namesake} as pg_catalog.{namesake} check (pg_temp.spy({check}))")
    key = await sign_up(connection)
    await connection.execute("insert into public.profiles (id, name) values ($1, 'whole')", key)
    row = json.dumps({"id": key, "user_id": key, "source": "web"})

    await lent.connection.execute(f"select pgmend.replay_as('shop_writer', null, 'public.leads', null, '{row}', {only_look})")

    await connection.execute("select")
    assert "shop_writer" not in seen
