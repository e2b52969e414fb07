"""Statements of many rows that resemble each other, or lie within each other: each is healed for itself, and only once."""

import pytest

from tests.support.database import count
from worker.store.connection import Connection

ENSURE = "select pgmend.guard('public.orders', 'fk_orders_user_id', mode => 'ensure')"
MEMBERS = "insert into public.users (email, full_name) select 'user' || number, 'User' from generate_series(1, $1) as number"
ORDERS = "insert into public.orders (user_id, amount) select id, 1 from public.users"
WHOLE = """
insert into public.users (id, email) values ('11111111-1111-1111-1111-111111111111', 'whole');
insert into public.profiles (id, name) values ('11111111-1111-1111-1111-111111111111', 'whole');
insert into public.orders (user_id, amount) select '11111111-1111-1111-1111-111111111111', 1 from generate_series(1, $1)
"""
ORDERING = """
create function public.ordering(key uuid) returns uuid language plpgsql as $$ begin
    insert into public.orders (user_id, amount) select '11111111-1111-1111-1111-111111111111', 9 from generate_series(1, 3);
    return key;
end $$
"""
SKIPPING = """
create function public.skip() returns trigger language plpgsql as $$ begin
    return case when new.amount < 77 then new end;
end $$;
create trigger skips before insert on public.orders for each row execute function public.skip()
"""
COUNTER_ENTRY = """
create function public.enter() returns trigger language plpgsql as $$ begin
    if new.amount > 0 then insert into public.orders (user_id, amount) values (new.user_id, -1); end if;
    return null;
end $$;
create trigger enters after insert on public.orders for each row execute function public.enter()
"""
RENUMBERING = """
create function public.renumber() returns trigger language plpgsql as $$ begin
    update public.orders set amount = amount + 1;
    return null;
end $$;
create trigger renumbers after insert on public.orders for each row execute function public.renumber()
"""
CREATED = "public.error_logs where error_type = 'MISSING_PROFILE_CREATED'"
CALLS = """
select coalesce(sum(calls), 0)::integer from pg_stat_xact_user_functions
where schemaname = 'pgmend' and funcname = 'ensure_profiles'
"""


@pytest.fixture(params=[1, 21000], ids=["small", "large"])
async def ensured(connection: Connection, request: pytest.FixtureRequest) -> Connection:
    """A session that has written few rows, or many; the key of the orders is in the mode ensure, and calls are counted."""
    await connection.execute(ENSURE)
    await connection.execute(WHOLE.replace("$1", str(request.param)))
    await connection.execute("set track_functions = 'all'")
    return connection


async def test_statement_after_a_truncate_is_looked_at_for_itself(ensured: Connection) -> None:
    """A second load of as many rows into the emptied table heals whom the first had healed and who was deleted since."""
    await ensured.execute(MEMBERS, 3)
    async with ensured.transaction():
        for _ in range(2):
            await ensured.execute("truncate public.orders; delete from public.profiles where name <> 'whole'")
            await ensured.execute(ORDERS)

    assert await count(ensured, CREATED) == 6


async def test_function_in_returning_does_not_speak_for_the_statement_around_it(ensured: Connection) -> None:
    """It inserts several rows whose profiles are there; those of the statement around it are healed all the same."""
    await ensured.execute(ORDERING + ";" + MEMBERS.replace("$1", "3"))

    await ensured.execute(f"{ORDERS} where email <> 'whole' returning public.ordering(user_id)")

    assert await count(ensured, CREATED) == 3


async def test_row_that_is_skipped_does_not_hide_the_others(ensured: Connection) -> None:
    """The last row calls a function that inserts, and is then skipped by a trigger: the rows before it are healed."""
    await ensured.execute(ORDERING + ";" + SKIPPING + ";" + MEMBERS.replace("$1", "2"))

    await ensured.execute(
        f"{ORDERS} where email <> 'whole' union all select public.ordering('11111111-1111-1111-1111-111111111111'), 77"
    )

    assert await count(ensured, CREATED) == 2


async def test_trigger_that_writes_into_the_same_table_does_not_have_everything_looked_at_again(ensured: Connection) -> None:
    """The rows of the statement are healed with one call, and each that the trigger adds finds its profile there."""
    await ensured.execute(COUNTER_ENTRY + ";" + MEMBERS.replace("$1", "50"))

    async with ensured.transaction():
        await ensured.execute(ORDERS + " where email <> 'whole'")
        calls = await ensured.fetchval(CALLS)

    assert await count(ensured, CREATED) == 50
    assert calls <= 2


async def test_rows_that_a_trigger_updates_before_their_turn_are_healed(ensured: Connection) -> None:
    """An updated row may no longer say which command wrote it: the first row has spoken for it."""
    await ensured.execute("delete from public.orders")
    await ensured.execute(RENUMBERING + ";" + MEMBERS.replace("$1", "30"))

    async with ensured.transaction():
        await ensured.execute(ORDERS + " where email <> 'whole'")
        calls = await ensured.fetchval(CALLS)

    assert await count(ensured, CREATED) == 30
    assert calls <= 2
