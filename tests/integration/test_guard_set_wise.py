"""The mode ensure, for statements of many rows: healed at once, and not looked at twice."""

import asyncio
import uuid

import asyncpg
import pytest

from tests.support.database import Database, count
from tests.support.waiting import eventually
from worker.store.connection import Connection

ENSURE = "select pgmend.guard('public.orders', 'fk_orders_user_id', mode => 'ensure')"
MEMBERS = "insert into public.users (email, full_name) select 'user' || number, 'User' from generate_series(1, $1) as number"
ORDERS = "insert into public.orders (user_id, amount) select id, 1 from public.users order by email"
BACKWARDS = "insert into public.orders (user_id, amount) select id, 1 from public.users order by id desc"
MANY = """
insert into public.users (id, email) values ('11111111-1111-1111-1111-111111111111', 'many');
insert into public.profiles (id, name) values ('11111111-1111-1111-1111-111111111111', 'many');
insert into public.orders (user_id, amount) select '11111111-1111-1111-1111-111111111111', 1 from generate_series(1, 21000)
"""
CALLS = """
select coalesce(sum(calls), 0)::integer from pg_stat_xact_user_functions
where schemaname = 'pgmend' and funcname ~ ('^' || $1)
"""
CREATED = "public.error_logs where error_type = 'MISSING_PROFILE_CREATED'"
FIRST = "select id from public.users where email = 'user1'"


@pytest.fixture
async def ensured(connection: Connection) -> Connection:
    """The application's connection, with the key of the orders in the mode ensure, and calls of functions counted."""
    await connection.execute(ENSURE)
    await connection.execute("set track_functions = 'all'")
    return connection


async def test_rows_of_one_statement_are_healed_with_one_call(ensured: Connection) -> None:
    """A multi-row insert whose profiles are all missing heals them together, and audits each once."""
    await ensured.execute(MEMBERS, 50)

    async with ensured.transaction():
        await ensured.execute(ORDERS)
        assert await ensured.fetchval(CALLS, "heal_many_") == 1
        assert await ensured.fetchval(CALLS, "heal_one_") == 0

    assert await count(ensured, "public.orders join public.profiles on user_id = profiles.id") == 50
    assert await ensured.fetchval(f"select (count(*), count(distinct user_id))::text from {CREATED}") == "(50,50)"


async def test_copy_of_missing_users_is_healed_with_one_call(ensured: Connection) -> None:
    """COPY is one statement too, and several rows of one user are one profile."""
    await ensured.execute(MEMBERS, 50)
    keys = [row[0] for row in await ensured.fetch("select id from public.users")]

    async with ensured.transaction():
        await ensured.copy_records_to_table("orders", records=[(key, 1) for key in keys * 3], columns=["user_id", "amount"])
        assert await ensured.fetchval(CALLS, "heal_") == 1

    assert await count(ensured, CREATED) == 50


async def test_culprit_of_many_rows_is_named(ensured: Connection) -> None:
    """Where one profile of many cannot be made, the error is of that user's row, and the statement leaves nothing behind."""
    await ensured.execute(MEMBERS, 5)
    await ensured.execute("update public.users set full_name = repeat('x', 121) where email = 'user3'")
    culprit = await ensured.fetchval("select id from public.users where email = 'user3'")

    with pytest.raises(asyncpg.ForeignKeyViolationError) as refusal:
        await ensured.execute(ORDERS)

    assert str(culprit) in str(refusal.value.detail)
    assert await count(ensured, "public.profiles") == 0


async def test_function_recipe_is_called_for_each_user_of_the_statement(ensured: Connection) -> None:
    """An application's own function makes one profile at a time, whatever the number of rows."""
    await ensured.execute(
        """
        create function public.make_profile(key uuid) returns void language sql
        as $$ insert into public.profiles (id, name) values (key, 'by function') $$;
        select pgmend.attach_source('public.users', 'public.profiles', recipe_function => 'public.make_profile(uuid)')
        """
    )
    await ensured.execute(MEMBERS, 5)

    await ensured.execute(ORDERS)

    assert await count(ensured, "public.profiles where name = 'by function'") == 5


async def test_statements_in_opposite_orders_do_not_deadlock(ensured: Connection, database: Database) -> None:
    """Two sessions that insert for the same missing users, the one forwards and the other backwards, both succeed."""
    await ensured.execute(MEMBERS, 20)
    other = await database.connect()

    async with ensured.transaction():
        await ensured.execute(BACKWARDS)
        waiting = asyncio.ensure_future(other.execute(BACKWARDS.replace(" desc", "")))
        await eventually(lambda: ensured.fetchval("select cardinality(pg_blocking_pids($1))", other.get_server_pid()))
    await waiting

    assert await count(ensured, "public.orders") == 40
    assert await count(ensured, CREATED) == 20


@pytest.mark.parametrize("missing", [0, 3])
async def test_large_statement_is_looked_at_once(ensured: Connection, missing: int) -> None:
    """After the second row of a large statement its other rows are passed over, and a missing profile among them is made."""
    await ensured.execute(MANY)
    await ensured.execute(MEMBERS, missing)

    before = await ensured.fetchval(CALLS, "ensure_profiles")
    async with ensured.transaction():
        await ensured.execute(MANY.split(";")[2] + " union all select id, 1 from public.users")
        assert await ensured.fetchval(CALLS, "ensure_profiles") == before + 1

    assert await count(ensured, CREATED) == missing


@pytest.mark.parametrize(
    "between", ["select", "savepoint s; insert into public.orders (user_id, amount) select user_id, 2 from public.orders limit 3"]
)
async def test_what_one_statement_saw_is_not_taken_for_the_next(ensured: Connection, between: str) -> None:
    """A statement of the same shape in the same transaction is looked at anew, after a rollback to a savepoint too."""
    await ensured.execute(MEMBERS, 2)
    async with ensured.transaction():
        await ensured.execute(MANY)
        await ensured.execute(between + ("; rollback to s" if "savepoint" in between else ""))
        await ensured.execute(ORDERS)

    assert await count(ensured, CREATED) == 2


async def test_statement_inside_a_trigger_of_another_is_looked_at_for_itself(ensured: Connection) -> None:
    """A trigger that runs before the guard and writes many rows does not speak for the statement around it."""
    await ensured.execute(MEMBERS, 1)
    await ensured.execute(MANY.rsplit(";", 1)[0])
    await ensured.execute(
        f"""
        create function public.write_more() returns trigger language plpgsql as $$ begin
            if pg_trigger_depth() = 1 then {MANY.split(";")[2]}; end if; return null;
        end $$;
        create trigger "AAA" after insert on public.orders for each row execute function public.write_more()
        """
    )

    await ensured.execute(f"insert into public.orders (user_id, amount) {FIRST.replace('id', 'id, 1', 1)}")

    assert await count(ensured, CREATED) == 1


async def test_guard_without_counters_looks_at_each_row(ensured: Connection) -> None:
    """Where the server counts nothing, every row is looked at, and healed all the same."""
    await ensured.execute("set track_counts = off")
    await ensured.execute(MEMBERS, 2)

    async with ensured.transaction():
        for number in (1, 2):
            await ensured.execute(ORDERS.replace("order by email", f"where email = 'user{number}'"))

    assert await count(ensured, CREATED) == 2


async def test_renamed_key_is_still_found_in_a_large_statement(ensured: Connection) -> None:
    """The function names the old column; the rows are healed one by one by the new one."""
    await ensured.execute(MANY)
    await ensured.execute(MEMBERS, 2)
    await ensured.execute("alter table public.orders rename user_id to buyer_id")

    await ensured.execute(MANY.split(";")[2].replace("user_id", "buyer_id") + " union all select id, 1 from public.users")

    assert await count(ensured, CREATED) == 2


@pytest.mark.parametrize("partitioned", [True, False])
async def test_table_without_transition_tables_is_healed_row_by_row(connection: Connection, *, partitioned: bool) -> None:
    """A partitioned table, and one that inherits, can have none on a row's trigger: each row is healed for itself."""
    await connection.execute(
        """
        create table public.visits (user_id uuid not null, at date not null, constraint fk_visits foreign key (user_id)
            references public.profiles (id)) partition by range (at);
        create table public.visits_2026 partition of public.visits for values from ('2026-01-01') to ('2027-01-01')
        """
        if partitioned
        else """
        create table public.looks (at date not null);
        create table public.visits (user_id uuid, constraint fk_visits foreign key (user_id) references public.profiles (id))
            inherits (public.looks)
        """
    )
    await connection.execute("select pgmend.guard('public.visits', 'fk_visits', mode => 'ensure')")
    await connection.execute(MEMBERS, 3)

    await connection.execute("insert into public.visits (user_id, at) select id, '2026-05-01' from public.users")

    assert await count(connection, CREATED) == 3


async def test_unknown_user_among_many_keeps_the_honest_error(ensured: Connection) -> None:
    """One stranger makes the statement fail as it always did, and no profile of the others stays."""
    await ensured.execute(MEMBERS, 3)

    with pytest.raises(asyncpg.ForeignKeyViolationError, match="fk_orders_user_id"):
        await ensured.execute(ORDERS.replace(" order by email", "") + f" union all select '{uuid.uuid4()}', 1")

    assert await count(ensured, "public.profiles") == 0
