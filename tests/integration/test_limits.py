"""Limits: what a writer may have waiting, how long it is kept, and when a source stops until a person has looked."""

import json
from contextlib import nullcontext
from io import StringIO

import asyncpg
import pytest

from tests.support.database import Database, count, sign_up
from tests.support.outbox import due_now
from tests.support.workload import park_order, report_order
from worker import pipeline
from worker.log import Log
from worker.pipeline import Path
from worker.store.connection import Connection
from worker.sweeping import sweep

ENSURE = "select pgmend.guard('public.orders', 'fk_orders_user_id', mode => 'ensure')"
FLOOD = "select pgmend.insert_or_park('public.orders', $1::jsonb) from generate_series(1, $2::integer)"
SWEEP = "select pgmend.sweep_users(1, 10000)"
PAUSED = "pgmend.profile_sources where paused_at is not null"


async def test_role_has_no_more_captured_rows_than_it_may(connection: Connection, path: Path) -> None:
    """One too many is refused with the limit's name, dead letters count, and a settled one makes room."""
    await connection.execute("update pgmend.limits set captured_rows = 2")
    poisoned, whole = await sign_up(connection, "a@x", "x" * 121), await sign_up(connection, "b@x")
    await park_order(connection, poisoned)
    await park_order(connection, whole)

    with pytest.raises(asyncpg.ConfigurationLimitExceededError, match="2 captured rows") as refused:
        await park_order(connection, poisoned)
    await pipeline.turn(path)

    assert "captured_rows" in (refused.value.hint or "")
    assert await count(connection, "pgmend.dead_letters where kind = 'insert_failed'") == 1
    assert await park_order(connection, poisoned) == "parked"


@pytest.mark.parametrize(("rows", "is_refused"), [(100, False), (192, False), (193, True), (400, True)])
async def test_flood_in_one_statement_is_refused(connection: Connection, rows: int, *, is_refused: bool) -> None:
    """Beyond the limit of 150 a session has at most 63 rows too many, however many it captures at once; none of them stays."""
    await connection.execute("update pgmend.limits set captured_rows = 150")
    key = await sign_up(connection)

    with pytest.raises(asyncpg.ConfigurationLimitExceededError) if is_refused else nullcontext():
        await connection.execute(FLOOD, json.dumps({"user_id": str(key), "amount": 1}), rows)

    assert await count(connection, "pgmend.careful_events where kind = 'insert_failed'") == (0 if is_refused else rows)


async def test_other_roles_have_room_of_their_own(connection: Connection, writer: Connection) -> None:
    """A role that floods takes nothing from another."""
    await connection.execute("update pgmend.limits set captured_rows = 1")
    key = await sign_up(connection)
    await park_order(connection, key)

    assert await park_order(writer, key) == "parked"


@pytest.mark.parametrize(("limit", "match"), [("captured_row_bytes", "too large to be captured"), ("claims_bytes", "claims")])
async def test_what_is_too_large_is_not_stored(connection: Connection, limit: str, match: str) -> None:
    """A row or claims beyond the limit are refused, with both sizes in the detail."""
    await connection.execute(f"update pgmend.limits set {limit} = 10")
    await connection.execute("select set_config('request.jwt.claims', '{\"sub\": \"somebody\"}', false)")

    with pytest.raises(asyncpg.ProgramLimitExceededError, match=match) as refused:
        await report_order(connection, await sign_up(connection))

    assert "the limit is 10" in (refused.value.detail or "")


async def armed_source(connection: Connection, path: Path, users: int) -> None:
    """Sign up and heal some users, and let a sweep find that all are whole."""
    await connection.execute("insert into public.users (email) select 'u' || n from generate_series(1, $1) as n", users)
    while (await pipeline.turn(path)).more:
        pass
    assert await connection.fetchval(SWEEP) == 0


async def test_profiles_that_are_suddenly_gone_stop_their_source(connection: Connection, path: Path) -> None:
    """A sweep that finds more than anybody expected announces nobody, and says what it found."""
    await armed_source(connection, path, 300)
    await connection.execute("truncate public.profiles cascade")

    assert await connection.fetchval(SWEEP) == 0

    assert await count(connection, "pgmend.outbox") == 0
    assert await connection.fetchval("select paused_because from pgmend.profile_sources") == (
        "a sweep found 300 of 300 users without a profile"
    )
    assert await count(connection, "public.error_logs where error_type = 'SOURCE_PAUSED' and severity = 'error'") == 1


@pytest.mark.parametrize(("users", "gone"), [(300, 20), (2000, 150)], ids=["few", "small-share"])
async def test_what_may_happen_on_any_day_stops_nothing(connection: Connection, path: Path, users: int, gone: int) -> None:
    """A few users, or a small share of many, are healed as ever."""
    await armed_source(connection, path, users)
    await connection.execute("delete from public.profiles where id in (select id from public.profiles limit $1)", gone)

    assert await connection.fetchval(SWEEP) == gone
    assert await count(connection, PAUSED) == 0


async def test_users_of_the_past_are_healed_when_a_source_is_attached(connection: Connection) -> None:
    """Whoever attaches has decided: the first sweeps stop nothing, however much they find."""
    await connection.execute(
        "set session_replication_role = replica; insert into public.users select from generate_series(1, 300)"
    )

    assert await connection.fetchval(SWEEP) == 300
    assert await count(connection, PAUSED) == 0


async def test_paused_source_captures_and_makes_nothing_until_a_person_resumes_it(
    connection: Connection, database: Database, path: Path
) -> None:
    """Sign-ups and failed inserts are written down; no profile is made, by the worker or by a guard; then all of it is."""
    await connection.execute(ENSURE)
    await connection.execute("select pgmend.pause_source(1, 'a person looks')")
    key = await sign_up(connection)
    assert await park_order(connection, key) == "parked"
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await (await database.connect()).execute("insert into public.orders (user_id, amount) values ($1, 1)", key)
    await pipeline.turn(path)
    made = await count(connection, "public.profiles")

    await connection.execute("select pgmend.resume_source(1)")
    await pipeline.turn(path)

    assert made == 0
    assert await count(connection, "public.orders join public.profiles on user_id = profiles.id") == 1
    assert await count(connection, "pgmend.outbox") == 0


async def test_paused_source_stops_no_other(connection: Connection, path: Path) -> None:
    """Each source is stopped for itself."""
    await connection.execute(
        """
        create table public.a (id int primary key); create table public.pa (id int primary key references public.a);
        select pgmend.attach_source('public.a', 'public.pa', '{}');
        select pgmend.pause_source(1, 'a person looks'); insert into public.a values (5)
        """
    )
    await sign_up(connection)

    await pipeline.turn(path)

    assert (await count(connection, "public.pa"), await count(connection, "public.profiles")) == (1, 0)


async def test_resumed_source_accepts_what_is_missing(connection: Connection, path: Path) -> None:
    """A person has looked: the next sweep announces everybody, and the source stops again only after it was whole once."""
    await armed_source(connection, path, 300)
    await connection.execute("truncate public.profiles cascade")
    await connection.fetchval(SWEEP)

    await connection.execute("select pgmend.resume_source(1)")

    assert await connection.fetchval(SWEEP) == 300
    await due_now(connection)
    await pipeline.turn(path)
    assert await count(connection, "public.profiles") == 300


async def test_row_that_is_refused_from_the_other_side_of_its_key_is_no_capture(connection: Connection, path: Path) -> None:
    """A trigger that deletes a referred profile raises 23503 as well, but no profile that we could make would help."""
    await connection.execute(
        """
        alter table public.orders drop constraint fk_orders_user_id;
        alter table public.orders add constraint fk_orders_user_id foreign key (user_id) references public.profiles (id);
        create function public.turn_out() returns trigger language plpgsql as
        $$ begin delete from public.profiles where id = new.user_id; return new; end $$
        """
    )
    key = await sign_up(connection)
    await pipeline.turn(path)
    await connection.execute("insert into public.orders (user_id, amount) values ($1, 1)", key)
    await connection.execute(
        "create trigger turn_out before insert on public.orders for each row execute function public.turn_out()"
    )

    with pytest.raises(asyncpg.ForeignKeyViolationError, match=r"update or delete"):
        await park_order(connection, key)
    receipt = await connection.fetchval(
        "select pgmend.report_failed_insert('public.orders', $1)", json.dumps({"user_id": key, "amount": 1})
    )
    for _ in range(2):
        await due_now(connection)
        await pipeline.turn(path)

    assert await connection.fetchval("select verdict from pgmend.dead_letters where event_id = $1", receipt) == "wrong_direction"


async def test_sweep_says_which_sources_are_paused(connection: Connection, log: Log, log_lines: StringIO) -> None:
    """Repeated at every sweep: a person is needed."""
    await connection.execute("select pgmend.pause_source(1, 'a person looks')")

    await sweep(connection, log, most=100)

    lines = [json.loads(line) for line in log_lines.getvalue().splitlines()]
    said = {line["event"]: line for line in lines}
    assert said["source_is_paused"]["reason"] == "a person looks"
