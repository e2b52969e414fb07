"""Prepared statements are the session's: what code inside a replay puts in their place is never run by the worker."""

import json

import pytest

from tests.conftest import StartWorker
from tests.support.database import count, sign_up
from tests.support.outbox import dead_letters
from tests.support.workload import settled
from worker.store.connection import Connection

SEIZE = """
    create table public.seized (by text);
    grant insert on public.seized to public;
    create function public.seize() returns trigger language plpgsql as $$
    declare prepared text;
    begin
        for prepared in select name from pg_prepared_statements where not from_sql loop
            execute format('deallocate %I', prepared);
            {prepare}
        end loop;
        {then}
        return new;
    end $$;
    create trigger seize before insert on public.leads for each row when (new.source = 'evil') execute function public.seize()
"""
PREPARE = "execute format('prepare %I as insert into public.seized values (current_user)', prepared);"


@pytest.mark.parametrize("prepare", [PREPARE, ""], ids=["replaced", "taken-away"])
@pytest.mark.parametrize("then", ["", "raise 'no' using errcode = 'P0042';"], ids=["stored", "refused"])
async def test_statement_of_another_is_never_run_and_its_event_is_set_aside(
    connection: Connection, writer: Connection, start: StartWorker, prepare: str, then: str
) -> None:
    """The worker gives the connection up, sets that one event aside, and everybody else's is done."""
    await connection.execute(SEIZE.format(prepare=prepare, then=then))
    key = await sign_up(connection)
    for source in ("web", "evil", "mail"):
        row = json.dumps({"user_id": key, "source": source})
        await writer.execute(f"select pgmend.report_failed_insert('public.leads', '{row}')")

    worker = await start(poll_interval_seconds=3600)
    await settled(connection)

    assert await count(connection, "public.seized") == 0
    assert await dead_letters(connection) == [("refused", "PM010")]
    assert await connection.fetchval("select array_agg(source order by source) from public.leads") == ["mail", "web"]
    await worker.logged("connection_lost", role="consumer")
