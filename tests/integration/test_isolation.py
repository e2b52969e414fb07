"""Isolation: what is wrong with one user, one source or one event touches no other."""

import asyncio
import json
from io import StringIO

import pytest

from tests.conftest import StartWorker
from tests.support.activity import blocked
from tests.support.database import Database, count, sign_up
from tests.support.outbox import dead_letters, due_now
from tests.support.workload import healed, park_order, report_order, settled
from worker import pipeline
from worker.log import Log
from worker.pipeline import Path
from worker.store.connection import Connection
from worker.sweeping import sweep

ADULTS = """
    alter table public.users add column age text;
    select pgmend.attach_source(
        'public.users', 'public.profiles', '{"name": "''user''"}',
        eligible_when => 'users.age::int >= 18', erased_when => 'users.deleted_at is not null'
    )
"""
PAYING = """
    create table public.payments (user_id uuid primary key);
    create function public.pays(key uuid) returns boolean language plpgsql as
    $$ begin return exists (select from public.payments where user_id = key); end $$;
    select pgmend.attach_source(
        'public.users', 'public.profiles', '{"name": "''user''"}', eligible_when => 'public.pays(users.id)'
    )
"""
LEAD = "22222222-2222-2222-2222-222222222222"


async def sign_up_aged(connection: Connection, *ages: str) -> list[str]:
    """Sign up a user of each age, who orders at once; return the keys."""
    keys = [await connection.fetchval("insert into public.users (age) values ($1) returning id::text", age) for age in ages]
    for key in keys:
        await park_order(connection, key)
    return keys


async def test_condition_that_chokes_on_one_user_stops_no_other(connection: Connection, path: Path) -> None:
    """Where eligible_when fails for a user, his events are dead letters, and everybody else is healed and replayed."""
    await connection.execute(ADULTS)
    young, odd, old = await sign_up_aged(connection, "18", "ada@example.org", "80")

    await pipeline.turn(path)

    assert await dead_letters(connection) == [("needs_recipe", "22P02")] * 2
    assert await count(connection, "pgmend.dead_letters where user_key <> $1", odd) == 0
    assert await count(connection, "public.profiles join public.orders on user_id = profiles.id") == 2
    assert await count(connection, "public.profiles where id::text = any ($1)", [young, old]) == 2


async def test_condition_that_chokes_on_one_user_hides_no_other_from_the_sweep(
    connection: Connection, path: Path, log: Log
) -> None:
    """Who was not announced is found all the same, and who cannot be judged becomes a dead letter that says why."""
    await connection.execute(ADULTS)
    await connection.execute("set session_replication_role = replica")
    await connection.execute("insert into public.users (age) values ('17'), ('18'), ('ada@example.org'), ('80')")
    await connection.execute("set session_replication_role = origin")

    await sweep(connection, log, most=100)
    await pipeline.turn(path)

    assert await count(connection, "public.profiles join public.users using (id) where age in ('18', '80')") == 2
    assert await dead_letters(connection) == [("needs_recipe", "22P02")]
    assert await count(connection, "pgmend.dead_letters where hint like '%eligible_when%'") == 1
    await sweep(connection, log, most=100)
    assert await count(connection, "pgmend.outbox") == 0


async def test_condition_that_is_broken_for_everybody_announces_nobody(
    connection: Connection, log: Log, log_lines: StringIO
) -> None:
    """What is wrong with the source and not with a user stops its sweep, and fills no table with dead letters."""
    await connection.execute(PAYING)
    await connection.execute("insert into public.users (email) values ('ada@x'), ('grace@x'); delete from pgmend.express_events")
    await connection.execute("alter table public.payments rename to invoices")

    await sweep(connection, log, most=100)

    assert '"sqlstate": "42P01"' in log_lines.getvalue()
    assert await count(connection, "pgmend.outbox") == 0


@pytest.mark.parametrize("failure", ["raise 'no' using errcode = '40001'", "raise 'no' using errcode = '57014'", "assert false"])
async def test_condition_that_fails_for_one_user_in_passing_delays_no_other(
    connection: Connection, path: Path, failure: str
) -> None:
    """Whatever class the failure is of, the others are handled, and the one keeps its attempts or is set aside."""
    odd, fine = await sign_up(connection, "odd@x"), await sign_up(connection, "fine@x")
    for key in (odd, fine):
        await report_order(connection, key)
    await connection.execute(
        f"""
        create function public.judge(email text) returns boolean language plpgsql as
        $$ begin if email = 'odd@x' then {failure}; end if; return true; end $$;
        select pgmend.attach_source(
            'public.users', 'public.profiles', '{{"name": "''user''"}}', eligible_when => 'public.judge(users.email)'
        )
        """
    )

    for _ in range(3):
        await pipeline.turn(path)

    assert await count(connection, "public.profiles join public.orders on user_id = profiles.id where user_id = $1", fine) == 1
    assert await count(connection, "public.profiles where id = $1", odd) == 0
    kept = await connection.fetch(
        "select user_key from pgmend.outbox where attempts > 0 union all select user_key from pgmend.dead_letters"
    )
    assert [row["user_key"] for row in kept] == [odd, odd]


@pytest.mark.parametrize(
    "failure",
    [
        "assert false",
        "raise 'no' using errcode = '40001'",
        "raise 'no' using errcode = '57014'",
        "raise 'no' using errcode = '53400'",
    ],
)
async def test_profile_that_fails_in_a_way_that_ends_the_statement_stops_no_other(
    connection: Connection, path: Path, failure: str
) -> None:
    """Also what a handler for all others does not catch, and what passes for a trouble of the server, is one row's trouble."""
    await connection.execute(
        f"""
        create function public.refuse() returns trigger language plpgsql as
        $$ begin if new.name = 'odd' then {failure}; end if; return new; end $$;
        create trigger refuse before insert on public.profiles for each row execute function public.refuse();
        insert into public.users (email) select 'u' || n from generate_series(1, 20) as n
        """
    )
    odd = await sign_up(connection, "odd@x")
    await connection.execute("insert into public.users (email) select 'v' || n from generate_series(1, 20) as n")

    turn = await pipeline.turn(path)
    while turn.more:
        turn = await pipeline.turn(path)

    assert await count(connection, "public.profiles") == 40
    kept = await connection.fetch("select user_key from pgmend.outbox union all select user_key from pgmend.dead_letters")
    assert [row["user_key"] for row in kept] == [odd]


async def test_worker_lives_on_after_a_condition_that_chokes(connection: Connection, start: StartWorker) -> None:
    """The process goes on with whoever signs up next."""
    await connection.execute(ADULTS)
    worker = await start(poll_interval_seconds=3600)
    await worker.logged("listener_connected")
    await sign_up_aged(connection, "ada@example.org")
    await worker.logged("event_dead_lettered", sqlstate="22P02")

    (key,) = await sign_up_aged(connection, "40")

    await healed(connection, key)
    await settled(connection)
    assert worker.process.returncode is None


async def test_sources_with_equal_keys_share_no_verdict(database: Database, connection: Connection, path: Path) -> None:
    """That one source has made or dropped user 5 says nothing of another source's user 5, who is only signing up."""
    await connection.execute(
        """
        create table public.a (id int primary key); create table public.pa (id int primary key references public.a);
        create table public.b (id int primary key); create table public.pb (id int primary key references public.b);
        create table public.ob (uid int constraint ob_fk references public.pb);
        select pgmend.attach_source('public.a', 'public.pa', '{}'), pgmend.attach_source('public.b', 'public.pb', '{}');
        select pgmend.guard('public.ob', 'ob_fk', unknown_user_grace => '1 minute');
        insert into public.a values (5), (6); delete from public.a where id = 6
        """
    )
    await pipeline.turn(path)
    signing_up = await database.connect()
    async with signing_up.transaction():
        await signing_up.execute("insert into public.b values (5), (6)")
        for key in (5, 6):
            await connection.execute("select pgmend.insert_or_park('public.ob', $1)", json.dumps({"uid": key}))
        await pipeline.turn(path)
    await due_now(connection)
    await pipeline.turn(path)

    assert await count(connection, "public.ob join public.pb on uid = id") == 2


async def test_row_that_its_writer_has_stored_meanwhile_is_found_and_audited_once(connection: Connection, path: Path) -> None:
    """The writer came back with the very row: the replay meets it, writes nothing, and the audit says so."""
    key = await sign_up(connection, "ada@x")
    row = {"id": LEAD, "user_id": key, "source": "web"}
    receipt = await connection.fetchval("select pgmend.report_failed_insert('public.leads', $1)", json.dumps(row))
    await connection.execute("insert into public.profiles (id, name) values ($1, 'Ada')", key)
    await connection.execute("insert into public.leads (id, user_id, source) values ($1, $2, 'web')", LEAD, key)

    await pipeline.turn(path)

    entries = await connection.fetch("select error_type from public.error_logs where event_id = $1 order by id", receipt)
    assert [entry["error_type"] for entry in entries] == ["FOREIGN_KEY_VIOLATION_CAPTURED", "INSERT_FOUND_STORED"]
    assert await count(connection, "pgmend.outbox") + await count(connection, "pgmend.dead_letters") == 0


async def test_nothing_is_written_for_a_user_erased_while_the_batch_was_under_way(
    database: Database, connection: Connection, path: Path
) -> None:
    """What was so when the batch began is looked at again before each replay: erased by then, nothing is written."""
    ada, grace = await sign_up(connection, "ada@x"), await sign_up(connection, "grace@x")
    await pipeline.turn(path)
    for key in (ada, grace):
        row = json.dumps({"id": LEAD, "user_id": key, "source": "web"} if key == ada else {"user_id": key, "source": "web"})
        await connection.execute("select pgmend.report_failed_insert('public.leads', $1)", row)
    holder = await database.connect()
    held = holder.transaction()
    await held.start()
    await holder.execute("insert into public.leads (id, user_id, source) values ($1, $2, 'x')", LEAD, ada)
    batch = asyncio.ensure_future(pipeline.careful(path))
    await blocked(connection, "replays/replay")

    await connection.execute("update public.users set deleted_at = now() where id = $1", grace)
    await held.rollback()
    await batch
    await due_now(connection)
    await pipeline.turn(path)

    assert await connection.fetchval("select array_agg(user_id::text) from public.leads") == [ada]
    assert await count(connection, "pgmend.outbox") + await count(connection, "pgmend.dead_letters") == 0


async def test_equal_row_without_the_captured_ones_identity_is_another_row(connection: Connection, path: Path) -> None:
    """An order placed once more is a second order, not proof that the captured one stands."""
    await connection.execute("create unique index one_order_of_an_amount on public.orders (amount)")
    key = await sign_up(connection)
    await park_order(connection, key)
    await pipeline.express(path)
    await connection.execute("insert into public.orders (user_id, amount) values ($1, 10)", key)

    await pipeline.turn(path)

    assert await dead_letters(connection) == [("refused", "23505")]
