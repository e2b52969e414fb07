"""The worker as a role of its own: what it may do, whose rights it puts on, and what it leaves of them."""

import json

import pytest

from tests.conftest import StartWorker
from tests.integration.conftest import LogIn, MakeRole
from tests.support.database import Database, count, sign_up
from tests.support.outbox import dead_letters, due_now, released
from tests.support.workload import park_order, play_unannounced, settled
from worker import pipeline
from worker.embedded import Cluster
from worker.log import Log
from worker.pipeline import Path
from worker.store.connection import Connection

NOT_OURS = """
    create schema not_ours;
    create table not_ours.a (id int primary key);
    create table not_ours.b (a_id int references not_ours.a deferrable initially deferred)
"""
STAMP = """
    create function public.stamp() returns text language sql as $$ select 'of the application' $$;
    create function public.put_stamp() returns trigger language plpgsql as
    $$ begin new.source := stamp(); return new; end $$;
    create trigger put_stamp before insert on public.leads for each row execute function public.put_stamp();
    create schema shop_writer authorization shop_writer;
"""


async def test_member_of_pgmend_worker_heals_replays_and_sweeps(
    cluster: Cluster, database: Database, writer: Connection, make_role: MakeRole, start: StartWorker
) -> None:
    """A login with a password that belongs to pgmend_worker and to nobody else is enough, whatever else the database holds."""
    connection = await database.connect()
    await make_role("lent_worker", "login password 'pw' in role pgmend_worker")
    await connection.execute(NOT_OURS)
    await play_unannounced(connection, "unannounced@example.org")
    await park_order(writer, await sign_up(connection))

    worker = await start(url=f"postgresql://lent_worker:pw@127.0.0.1:{cluster.port}/{database.name}")

    await worker.logged("sweep_finished", users_without_profile=1)
    await settled(connection)
    assert await count(connection, "public.profiles") == 2
    assert await count(connection, "public.orders") == 1
    assert not await worker.has_warned()


async def test_capture_of_a_role_for_which_nobody_may_replay_waits_for_the_grant(
    connection: Connection, writer: Connection, make_role: MakeRole, log_in: LogIn, log: Log
) -> None:
    """A missing grant is nobody's poison: the event is given back, says what it waits for, and is replayed once granted."""
    await make_role("lent_worker", "login in role pgmend_worker")
    path = Path(await log_in("lent_worker"), log)
    await park_order(writer, await sign_up(connection))
    await connection.execute("select pgmend.revoke_captures('shop_writer')")

    await pipeline.turn(path)
    waits = await released(connection)
    await connection.execute("select pgmend.grant_captures('shop_writer')")
    await due_now(connection)
    await pipeline.turn(path)

    assert waits == [("PM004", "grant")]
    assert await count(connection, "public.orders") == 1


async def test_capture_of_a_role_that_is_gone_is_kept(connection: Connection, path: Path) -> None:
    """A writer that was dropped since is told apart from a writer that may not insert: the row waits."""
    key = await sign_up(connection)
    await park_order(connection, key)
    await connection.execute("update pgmend.careful_events set writer_role = 'nobody_now' where kind = 'insert_failed'")

    await pipeline.turn(path)

    assert await released(connection) == [("PM004", "grant")]
    assert await dead_letters(connection) == []


@pytest.mark.parametrize("search_path", ['"$user", public', 'public, "$user"', '"$user"  , "public","$user"'])
async def test_writers_own_schema_is_not_searched_while_his_row_is_replayed(
    connection: Connection, writer: Connection, path: Path, search_path: str
) -> None:
    """A trigger that calls a function without its schema finds the application's, not one that the writer has made."""
    await connection.execute(STAMP)
    await writer.execute("create function shop_writer.stamp() returns text language sql as $$ select 'of the writer' $$")
    row = json.dumps({"user_id": await sign_up(connection), "source": "web"})
    await writer.execute("select pgmend.insert_or_park('public.leads', $1)", row)
    await path.connection.execute(f"set search_path = {search_path}")
    before = await path.connection.fetchval("show search_path")

    await pipeline.turn(path)

    assert await connection.fetchval("select source from public.leads") == "of the application"
    assert await path.connection.fetchval("show search_path") == before
