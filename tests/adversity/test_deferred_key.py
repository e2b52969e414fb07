"""A deferred constraint fails at COMMIT, outside of any savepoint: it has to fail the one event that broke it, and no other."""

from tests.conftest import StartWorker
from tests.support.database import count, sign_up
from tests.support.workload import park, report_order, settled
from worker.store.connection import Connection

KNOWN_NAMES_ONLY = """
    create table public.known_names (name text primary key);
    insert into public.known_names values ('known');
    alter table public.profiles add constraint profiles_name_is_known
    foreign key (name) references public.known_names (name) deferrable initially deferred
"""
KNOWN_PRICES_ONLY = """
    create table public.prices (amount numeric(12, 2) primary key);
    insert into public.prices values (10);
    alter table public.orders add constraint orders_amount_is_a_price
    foreign key (amount) references public.prices (amount) deferrable initially deferred
"""


async def test_profile_that_fails_only_at_commit_is_the_only_dead_letter(connection: Connection, start: StartWorker) -> None:
    """The other users of the batch are healed, and the letter names the deferred constraint."""
    await connection.execute(KNOWN_NAMES_ONLY)
    await connection.execute("insert into public.users (full_name) select 'known' from generate_series(1, 99)")
    stranger = await sign_up(connection, name="stranger")

    await start()
    await settled(connection)

    assert await count(connection, "public.profiles") == 99
    letter = await connection.fetchrow("select user_key, sqlstate, hint from pgmend.dead_letters")
    assert letter is not None
    assert (letter["user_key"], letter["sqlstate"]) == (stranger, "23503")
    assert "profiles_name_is_known" in letter["hint"]


async def test_replay_that_fails_only_at_commit_is_the_only_dead_letter(connection: Connection, start: StartWorker) -> None:
    """The other captured orders are replayed, each once, and the refused one keeps its row."""
    await connection.execute(KNOWN_PRICES_ONLY)
    key = await sign_up(connection)
    for amount in (10, 10, 666, 10):
        assert await park(connection, "public.orders", {"user_id": key, "amount": amount}) == "parked"

    await start()
    await settled(connection)

    assert await count(connection, "public.orders where amount = 10") == 3
    assert await count(connection, "public.orders") == 3
    letter = "pgmend.dead_letters where verdict = 'refused' and sqlstate = '23503' and row_image ->> 'amount' = '666.00'"
    assert await count(connection, letter) == 1
    audited = "error_type = 'EVENT_DEAD_LETTERED' and constraint_name = 'orders_amount_is_a_price'"
    assert await count(connection, f"public.error_logs where {audited}") == 1


async def test_guarded_key_that_is_deferred_itself_is_replayed_once_its_profile_is_there(
    connection: Connection, start: StartWorker
) -> None:
    """An order under a deferred key, reported after the commit failed, stands in the end."""
    await connection.execute("alter table public.orders alter constraint fk_orders_user_id deferrable initially deferred")
    key = await sign_up(connection)
    await report_order(connection, key)

    await start()
    await settled(connection)

    assert await count(connection, "public.orders where user_id = $1", key) == 1
