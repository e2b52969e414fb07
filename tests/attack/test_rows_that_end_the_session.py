"""Whatever ends the worker's session is noticed: the event becomes a dead letter, and everybody else's is done meanwhile."""

import json

import pytest

from tests.conftest import StartWorker
from tests.support.activity import blocked, lock_table, terminate
from tests.support.database import Database, count, sign_up
from tests.support.outbox import dead_letters
from tests.support.waiting import eventually
from tests.support.workload import settled
from worker.store.connection import Connection

END = """
    create function public.end_session() returns trigger language plpgsql security definer as $$
    begin
        {end}
        return new;
    end $$;
    create trigger end_session before insert on public.{table} for each row when (new.{column} = 'evil')
    execute function public.end_session()
"""
TERMINATED = "perform pg_terminate_backend(pg_backend_pid());"
OUT_OF_TIME = f"""
    if current_setting('server_version_num')::integer >= 170000 then
        perform set_config('transaction_timeout', '1', false);
        perform pg_sleep(60);
    end if;
    {TERMINATED}
"""


@pytest.mark.parametrize("end", [TERMINATED, OUT_OF_TIME], ids=["terminated", "out-of-time"])
async def test_row_that_ends_the_session_is_set_aside_and_the_others_are_stored(
    connection: Connection, writer: Connection, start: StartWorker, end: str
) -> None:
    """Two such rows among others': each is tried again, and then put in front of a person with what happened."""
    await connection.execute(END.format(end=end, table="leads", column="source"))
    await _report_leads(writer, await sign_up(connection), "web", "evil", "mail", "evil", "shop")

    worker = await start(poll_interval_seconds=3600, first_retry_delay_seconds=0.01)
    await eventually(lambda: _has_leads(connection, 3))
    await settled(connection)

    assert await dead_letters(connection) == [("refused", "PM013")] * 2
    assert await count(connection, "pgmend.dead_letters where hint like '%session ended%' and attempts = 2") == 2
    assert worker.process.returncode is None


async def test_sign_up_that_ends_the_session_is_set_aside(connection: Connection, start: StartWorker) -> None:
    """A trigger of the profiles table that does so costs one user, and no other."""
    await connection.execute(END.format(end=TERMINATED, table="profiles", column="name"))
    for name in ("ada", "evil", "grace"):
        await sign_up(connection, name=name)

    await start(poll_interval_seconds=3600, first_retry_delay_seconds=0.01, express_batch_size=10)
    await settled(connection)

    assert await dead_letters(connection) == [("needs_recipe", "PM013")]
    assert await count(connection, "public.profiles") == 2


async def test_session_that_an_administrator_ends_counts_against_no_row(
    connection: Connection, database: Database, start: StartWorker
) -> None:
    """The row that happened to be replayed just then is replayed again, as if for the first time."""
    await _report_leads(connection, await sign_up(connection), "web")
    lock = await lock_table(await database.connect(), "public.leads")
    worker = await start(poll_interval_seconds=3600, lock_timeout_seconds=60)

    await terminate(connection, await blocked(connection, "replays/replay"))
    await worker.logged("connection_lost", role="consumer")
    await blocked(connection, "replays/replay")
    attempts = await connection.fetchval("select array_agg(attempts) from pgmend.outbox")
    await lock.rollback()
    await settled(connection)

    assert attempts == [0]
    assert await count(connection, "public.leads") == 1


@pytest.mark.parametrize("end", [TERMINATED, "deallocate all;"], ids=["ended", "touched"])
async def test_row_that_was_requeued_is_judged_anew(connection: Connection, start: StartWorker, end: str) -> None:
    """Once the trigger is mended, the worker that set the row aside stores it."""
    await connection.execute(END.format(end=end, table="leads", column="source"))
    await _report_leads(connection, await sign_up(connection), "evil")
    await start(poll_interval_seconds=0.1, first_retry_delay_seconds=0.01)
    await settled(connection)

    await connection.execute("drop trigger end_session on public.leads")
    await connection.execute("select pgmend.requeue(array(select event_id from pgmend.dead_letters))")
    await settled(connection)

    assert await dead_letters(connection) == []
    assert await count(connection, "public.leads") == 1


async def _report_leads(session: Connection, user_key: str, *sources: str) -> None:
    for source in sources:
        row = json.dumps({"user_id": user_key, "source": source})
        await session.execute(f"select pgmend.report_failed_insert('public.leads', '{row}')")


async def _has_leads(connection: Connection, number: int) -> bool:
    return await count(connection, "public.leads") == number
