"""Settings that code inside a replay changes end with the replay: the worker has its own again, and the next row none of them."""

import json

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

LEAVE_AND_LOOK = """
    create function public.leave_and_look() returns trigger language plpgsql as $$
    begin
        if new.source = 'leaves' then
            perform {leave};
        else
            new.source := coalesce({look}, '');
        end if;
        return new;
    end $$;
    create trigger leave_and_look before insert on public.leads for each row execute function public.leave_and_look()
"""

LEFT = {
    "request.jwt.claim.sub": "mallory",
    "app.tenant": "mallory",
    "TimeZone": "Asia/Tokyo",
    "DateStyle": "SQL, DMY",
    "bytea_output": "escape",
    "transform_null_equals": "on",
    "search_path": "mallory",
}
"""What a writer's trigger sets, and to what."""

READ = "select coalesce(current_setting($1, true), '')"


@pytest.mark.parametrize("local", ["true", "false"])
@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("statement_timeout", "1"),
        ("lock_timeout", "1"),
        ("idle_in_transaction_session_timeout", "1"),
        ("idle_session_timeout", "1"),
        ("default_transaction_read_only", "on"),
        ("row_security", "off"),
        ("pgmend.silent", "on"),
        ("client_encoding", "LATIN1"),
        ("enable_seqscan", "on"),
    ],
)
async def test_trigger_that_changes_a_setting_stops_nobody_else(
    connection: Connection, path: Path, setting: str, value: str, local: str
) -> None:
    """An application's trigger that gives itself little time leaves the worker all of its own."""
    await connection.execute(CHANGE.format(setting=setting, value=value, local=local))
    await report_order(connection, await sign_up(connection))
    before = await path.connection.fetchval(READ, setting)

    await pipeline.turn(path)

    assert await path.connection.fetchval(READ, setting) == before
    assert await count(connection, "public.orders") == 1


@pytest.mark.parametrize("local", ["true", "false"])
@pytest.mark.parametrize("setting", LEFT)
async def test_next_row_sees_no_setting_of_the_one_before(
    connection: Connection, writer: Connection, path: Path, setting: str, local: str
) -> None:
    """What one writer's trigger sets, the usual tenant among it, is not what the next writer's reads in the same batch."""
    leave = f"set_config('{setting}', '{LEFT[setting]}', {local})"
    await connection.execute(LEAVE_AND_LOOK.format(leave=leave, look=f"current_setting('{setting}', true)"))
    usual = str(await path.connection.fetchval(READ, setting))
    await _report_leads(writer, "leaves", user_key=await sign_up(connection, "first@x"))
    await _report_leads(connection, "looks", user_key=await sign_up(connection, "second@x"))

    await pipeline.turn(path)

    looked = await connection.fetchval("select source from public.leads where source <> 'leaves'")
    assert looked == usual.replace('"$user", ', "")
    assert await path.connection.fetchval(READ, setting) == usual


async def test_next_row_draws_no_random_number_that_the_one_before_has_chosen(connection: Connection, path: Path) -> None:
    """The seed is a setting, too."""
    await connection.execute(LEAVE_AND_LOOK.format(leave="setseed(0.5)", look="random()::text"))
    await _report_leads(connection, "leaves", "looks", user_key=await sign_up(connection))
    await connection.execute("select setseed(0.5)")
    chosen = [str(await connection.fetchval("select random()::text")) for _ in range(4)]

    await pipeline.turn(path)

    assert await connection.fetchval("select source from public.leads where source <> 'leaves'") not in chosen


async def test_row_sees_no_setting_of_a_heal(connection: Connection, path: Path) -> None:
    """A trigger of the profiles table that names its tenant names it for no row that is replayed afterwards."""
    await connection.execute(CHANGE.format(setting="app.tenant", value="healed", local="false").replace("orders", "profiles"))
    await connection.execute(LEAVE_AND_LOOK.format(leave="1", look="current_setting('app.tenant', true)"))
    await _report_leads(connection, "looks", user_key=await sign_up(connection))

    await pipeline.turn(path)

    assert await connection.fetchval("select source from public.leads") == ""


async def _report_leads(session: Connection, *sources: str, user_key: str) -> None:
    for source in sources:
        row = json.dumps({"user_id": user_key, "source": source})
        await session.execute(f"select pgmend.report_failed_insert('public.leads', '{row}')")
