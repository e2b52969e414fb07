"""A writer who owns the function that replays for him gives it no search path of his own."""

import asyncpg
import pytest

from tests.support.database import count, sign_up
from tests.support.outbox import released
from tests.support.workload import park
from worker import pipeline
from worker.pipeline import Path
from worker.store.connection import Connection

NAMESAKE = """
    create function shop_writer.get(row_image jsonb, key text) returns text language plpgsql as
    $$ begin raise warning 'in the session of %', session_user; return row_image operator(pg_catalog.->>) key; end $$;
    create operator shop_writer.->> (leftarg = jsonb, rightarg = text, function = shop_writer.get);
    alter function pgmend.replay_as_1(regclass, name, jsonb, boolean) set search_path = shop_writer, pg_catalog
"""


async def test_setting_on_the_replay_function_runs_no_code_of_the_writer_in_the_workers_session(
    connection: Connection, writer: Connection, lent: Path
) -> None:
    """The altered function is not called; the row waits for a new grant, and is replayed by the new function."""
    heard: list[str] = []
    lent.connection.add_log_listener(lambda _, message: heard.append(message.message or ""))
    await connection.execute("create schema shop_writer authorization shop_writer")
    await park(writer, "public.leads", {"user_id": await sign_up(connection), "source": "web"})
    await writer.execute(NAMESAKE)

    await pipeline.turn(lent)

    assert heard == []
    assert await released(connection) == [("PM004", "grant")]


async def test_altered_replay_function_goes_with_the_grant(connection: Connection, writer: Connection) -> None:
    """A function that is no longer called is taken away all the same, or its owner could never be dropped."""
    await writer.execute("alter function pgmend.replay_as_1(regclass, name, jsonb, boolean) set search_path = public")
    await connection.execute("select pgmend.grant_captures('shop_writer')")
    granted = await count(connection, "pg_proc where proowner = 'shop_writer'::regrole")

    await connection.execute("select pgmend.revoke_captures('shop_writer')")

    assert (granted, await count(connection, "pg_proc where proowner = 'shop_writer'::regrole")) == (1, 0)


async def test_writers_role_put_on_by_a_setting_is_not_taken_for_his_rights(connection: Connection, writer: Connection) -> None:
    """Called between the look and the call, a function altered to put the role on would let its code put it off again."""
    await writer.execute(
        "alter function pgmend.replay_as_1(regclass, name, jsonb, boolean) security invoker set role = 'shop_writer'"
    )

    with pytest.raises(asyncpg.PostgresError) as refused:
        await connection.execute("select pgmend.replay_as_1('public.leads', null, '{}', false)")

    assert refused.value.sqlstate == "PM004"
