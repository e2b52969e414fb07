"""The probes: green while all is well, red for a reason that a person can act on, and green again."""

import asyncio
import re
import signal

import pytest

from tests.support.activity import LISTENER, asleep, lock_table, terminate
from tests.support.broken import ATTACHED_AGAIN, CONDITION
from tests.support.database import Database, count, sign_up
from tests.support.proxy import Proxy
from tests.support.waiting import eventually
from tests.support.workload import TOO_LONG, broken_promises, healed, make_admin, no_grace, play, settled
from tests.web.conftest import Serve
from worker import pipeline
from worker.counting import count as count_integrity
from worker.pipeline import Path
from worker.store.connection import Connection

LONG_AGO = "update pgmend.express_events set created_at = created_at - interval '1 hour'"
NEWEST = "(select max(version) from pgmend.migrations)"


async def test_all_probes_are_green_while_all_is_well(serve: Serve) -> None:
    """An idle worker lives, is ready and has started, and says what its tasks do."""
    _, client = await serve()
    ready = await client.turns("/readyz")

    assert [(await client.get(path)).status for path in ("/livez", "/readyz", "/startupz")] == [200, 200, 200]
    assert ready.body["status"] == "green"
    assert set(ready.body["tasks"]) == {"consumer-1", "listener", "sweeper"}


async def test_probes_answer_while_the_worker_waits_for_its_first_connection(
    serve: Serve, proxy: Proxy, proxied_url: str
) -> None:
    """It lives, and has not started; when the server appears it has."""
    proxy.cuts_new_connections = True
    _, client = await serve(url=proxied_url, startup_timeout_seconds=600)

    assert [(await client.get(path)).status for path in ("/livez", "/readyz", "/startupz")] == [200, 503, 503]
    assert (await client.get("/readyz")).codes == {"starting"}

    proxy.cuts_new_connections = False
    await client.turns("/startupz")
    await client.turns("/readyz")


async def test_worker_without_a_schema_still_ends_with_14(empty_database: Database, serve: Serve) -> None:
    """Serving changes nothing about what a worker refuses."""
    worker, _ = await serve(url=empty_database.url)

    assert await worker.ended() == 14


async def test_lost_database_turns_readiness_red_and_leaves_the_worker_alive(
    serve: Serve, proxy: Proxy, proxied_url: str
) -> None:
    """Connections break and no new one comes about; a restart would help nobody, so it is not asked for."""
    _, client = await serve(url=proxied_url)
    await client.turns("/readyz")
    proxy.cuts_new_connections = True
    proxy.cut()

    red = await client.turns("/readyz", "disconnected", "database_unseen")
    assert (await client.get("/livez")).status == 200
    assert all(reason["what"] and reason["hint"] for reason in red.body["reasons"])

    proxy.cuts_new_connections = False
    await client.turns("/readyz")


async def test_terminated_backends_are_replaced_and_readiness_returns(connection: Connection, serve: Serve) -> None:
    """An administrator ends every connection of the worker, and of whoever observes for its probes."""
    _, client = await serve()
    await client.turns("/readyz")
    ended = await connection.fetchval(
        "select count(*) from pg_stat_activity, pg_terminate_backend(pid) where application_name like 'pgmend%' "
        "and datname = current_database() and pid <> pg_backend_pid()"
    )

    await client.becomes("pgmend_listener_reconnects_total", 1)
    await client.turns("/readyz")
    assert ended >= 3


async def test_probes_answer_while_the_database_hangs(serve: Serve, proxy: Proxy, proxied_url: str) -> None:
    """No socket is closed and no answer comes: the probes have theirs at once, and readiness says what is so."""
    _, client = await serve(url=proxied_url, observe_timeout_seconds=0.5)
    await client.turns("/readyz")
    proxy.blackhole()

    async def is_red() -> bool:
        async with asyncio.timeout(5):
            return "database_unseen" in (await client.get("/readyz")).codes

    await eventually(is_red)
    assert (await client.get("/livez")).status == 200
    proxy.flow()
    await client.turns("/readyz")


async def test_listener_that_hears_nothing_turns_readiness_red(
    connection: Connection, serve: Serve, proxy: Proxy, proxied_url: str
) -> None:
    """A connection that answers is not enough: a ring has to arrive on it."""
    proxy.drops_notifications = True
    worker, client = await serve(url=proxied_url)
    await worker.logged("listen_unavailable")
    red = await client.turns("/readyz", "deaf")
    assert "PGMEND_LISTEN_URL" in red.body["reasons"][0]["hint"]

    proxy.drops_notifications = False
    await terminate(connection, await asleep(connection, LISTENER))
    await client.turns("/readyz")


async def test_worker_that_is_meant_to_poll_is_ready(serve: Serve, proxy: Proxy, proxied_url: str) -> None:
    """Behind a transaction pooler, by choice."""
    proxy.drops_notifications = True
    _, client = await serve(url=proxied_url, ready_when_deaf=True)

    await client.turns("/readyz")
    assert await client.sample("pgmend_listener_up") == 0


async def test_paused_source_turns_readiness_red_and_says_how_to_resume_it(connection: Connection, serve: Serve) -> None:
    """The breaker is open until a person has looked."""
    _, client = await serve()
    await connection.execute("select pgmend.pause_source(1, 'a person looks')")
    red = await client.turns("/readyz", "source_paused")
    assert red.body["reasons"][0]["hint"].startswith("first find out where the profiles went: pgmend diagnose")
    assert red.body["reasons"][0]["hint"].endswith("then pgmend resume --source 1")
    assert "a person looks" in red.body["reasons"][0]["detail"]

    await connection.execute("select pgmend.resume_source(1)")
    await client.turns("/readyz")


async def test_source_that_the_application_broke_turns_readiness_red_within_a_sweep(connection: Connection, serve: Serve) -> None:
    """With the condition, the error, and how old the counts are; attaching again heals who waited."""
    _, client = await serve()
    await client.turns("/readyz")
    await connection.execute(CONDITION)
    user = await sign_up(connection)
    red = await client.turns("/readyz", "source_failing")
    await client.becomes("pgmend_source_failing", 1, source="1")
    detail = red.body["reasons"][0]["detail"]
    await connection.execute(ATTACHED_AGAIN)

    assert "SQLSTATE 42703: erased_when (users.deleted_at is not null): column users.deleted_at does not exist" in detail
    assert re.search(r"users last counted (\d+ s ago|never)", detail)
    assert "pgmend doctor" in red.body["reasons"][0]["hint"]
    await client.turns("/readyz")
    await client.becomes("pgmend_source_failing", 0, source="1")
    await healed(connection, user)


async def test_missing_migration_turns_readiness_red(connection: Connection, serve: Serve) -> None:
    """A database that was restored from before the upgrade is noticed while the worker runs."""
    _, client = await serve()
    await client.turns("/readyz")
    await connection.execute(
        f"create temporary table kept as select * from pgmend.migrations where version = {NEWEST};"
        f"delete from pgmend.migrations where version = {NEWEST}"
    )
    red = await client.turns("/readyz", "schema_behind")
    assert red.body["reasons"][0]["hint"] == "run pgmend migrate"

    await connection.execute("insert into pgmend.migrations select * from kept")
    await client.turns("/readyz")


async def test_event_that_is_due_for_too_long_turns_readiness_red(
    database: Database, connection: Connection, serve: Serve
) -> None:
    """Whatever keeps the worker from it, here a lock on the users table."""
    key = await sign_up(connection)
    await connection.execute(LONG_AGO)
    lock = await lock_table(await database.connect(), "public.profiles", "share")
    _, client = await serve()
    await client.turns("/readyz", "outbox_old")

    await lock.rollback()
    await client.turns("/readyz")
    assert await count(connection, "public.profiles where id = $1::uuid", key) == 1


async def test_debt_beyond_its_limits_turns_readiness_red(connection: Connection, path: Path, serve: Serve) -> None:
    """Too many users without a profile, and for too long; when they have theirs it is paid."""
    key = await sign_up(connection, name=TOO_LONG)
    await pipeline.turn(path)
    _, client = await serve(ready_debt_users=0, ready_debt_age_seconds=0.01)
    await client.turns("/readyz", "debt_large", "debt_old")

    await connection.execute("update public.users set full_name = 'Ada' where id = $1::uuid", key)
    await connection.execute("select pgmend.requeue(array(select event_id from pgmend.dead_letters))")
    await healed(connection, key)
    await count_integrity(connection)  # as the next sweep will, which rests for the longer the busier the machine is
    await client.turns("/readyz")


async def test_frozen_process_answers_no_probe(serve: Serve) -> None:
    """A loop that does not turn cannot say that it lives, which is an answer, too."""
    worker, client = await serve()
    await client.turns("/readyz")
    worker.send(signal.SIGSTOP)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await client.get("/livez")

    worker.send(signal.SIGCONT)
    await client.turns("/livez")


async def test_sigterm_under_load_turns_readiness_red_before_a_connection_closes_and_loses_nothing(
    database: Database, connection: Connection, serve: Serve
) -> None:
    """While a batch is being finished the probes say so; the server ends last, with status 0, and the next worker goes on."""
    await no_grace(connection)
    await make_admin(connection)
    await play(connection, rounds=40)
    lock = await lock_table(await database.connect(), "public.orders", "share")
    worker, client = await serve(careful_batch_size=5, lock_timeout_seconds=30, statement_timeout_seconds=60)
    watcher = await database.connect()
    await eventually(lambda: count(watcher, "pg_locks where relation = 'public.orders'::regclass and not granted"))
    worker.send(signal.SIGTERM)
    await client.turns("/readyz", "stopping")

    assert (await client.get("/livez")).status == 200
    assert await count(watcher, "pg_locks where relation = 'public.orders'::regclass and not granted") == 1
    await lock.rollback()
    assert await worker.ended() == 0
    await serve()
    await settled(connection)
    assert await broken_promises(connection) == []
