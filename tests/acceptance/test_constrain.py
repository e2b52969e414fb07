"""``pgmend constrain`` as a command: what it prints, and its exit status."""

import json
from collections.abc import AsyncIterator

import pytest

from tests.support.database import Database, count
from tests.support.pooler import TransactionPooler
from tests.support.process import run_command
from worker.store.connection import Connection

LOOSE = "alter table public.orders drop constraint fk_orders_user_id; drop index public.orders_by_user"
NAMED = ("--name", "orders.user_id=fk_orders_user_id", "--on-delete", "orders.user_id=cascade")
ORPHAN = "insert into public.orders (user_id, amount) values (gen_random_uuid(), 1)"
ORPHAN_OF_LEADS = """
    alter table public.leads drop constraint leads_user_id_fkey;
    delete from pgmend.guarded_constraints where constraint_name = 'leads_user_id_fkey';
    insert into public.leads (user_id, source) values (gen_random_uuid(), 'x');
    alter table public.leads add constraint leads_user_id_fkey
        foreign key (user_id) references public.profiles (id) on delete cascade not valid
"""
KEYS = "pg_constraint where conname = 'fk_orders_user_id'"


@pytest.fixture
async def shop(connection: Connection) -> Connection:
    """The sample application without the key of its orders."""
    await connection.execute(LOOSE)
    return connection


@pytest.fixture
async def pooled_url(database: Database) -> AsyncIterator[str]:
    """The address of the test's database through a transaction pooler."""
    pooler = TransactionPooler(f"{database.cluster.host}/.s.PGSQL.{database.cluster.port}")
    await pooler.start()
    yield f"postgresql://postgres@127.0.0.1:{pooler.port}/{database.name}?sslmode=disable"
    await pooler.stop()


async def test_plan_is_printed_with_its_locks_and_changes_nothing(database: Database, shop: Connection) -> None:
    """Every step as SQL to paste, the lock, the tables, for how long, and whom it hinders."""
    status, out, err = await run_command(database.url, "constrain", *NAMED)

    assert (status, err) == (0, "")
    assert "1. create index concurrently orders_by_user_id on public.orders (user_id);" in out
    assert "3. alter table public.orders add constraint fk_orders_user_id foreign key (user_id)" in out
    assert "ShareRowExclusive on public.orders, public.profiles for an instant: hinders writers" in out
    assert "ShareUpdateExclusive on public.orders for a scan: hinders nobody" in out
    assert await count(shop, KEYS) == 0


async def test_apply_carries_the_plan_out_and_a_second_time_has_nothing_to_do(database: Database, shop: Connection) -> None:
    """Each step is told as it is done, and the end in one line."""
    status, out, err = await run_command(database.url, "constrain", "--apply", *NAMED)
    again = await run_command(database.url, "constrain", "--apply")

    assert (status, err) == (0, "")
    assert "  alter table public.orders validate constraint fk_orders_user_id;\n" in out
    assert "\norders.user_id=profiles.id: fk_orders_user_id is valid, 4 steps done\n" in out
    assert again == (0, "\nnothing to do: no reference was named, and none stands out\n", "")
    assert await count(shop, f"{KEYS} and convalidated") == 1


async def test_same_command_goes_on_after_the_orphans_that_stopped_it_are_settled(database: Database, shop: Connection) -> None:
    """What it names and has made valid the first time is no obstacle the second time: only the rest is done."""
    await shop.execute(ORPHAN_OF_LEADS)
    command = ("constrain", "--apply", *NAMED)
    first, _, _ = await run_command(database.url, *command)
    await shop.execute("delete from public.leads")
    status, out, err = await run_command(database.url, *command)

    assert first == 38
    assert (status, err) == (0, "")
    assert "\nleads.user_id=profiles.id: leads_user_id_fkey is valid, 2 steps done\n" in out
    assert "\norders.user_id=profiles.id: fk_orders_user_id is valid, nothing was to be done\n" in out


async def test_column_that_is_left_out_is_told_and_holds_up_nothing(database: Database, shop: Connection) -> None:
    """Nobody named it: the key of the orders is made all the same."""
    await shop.execute("create table public.legacy (user_id text)")
    status, out, err = await run_command(database.url, "constrain", "--apply", *NAMED)

    assert (status, err) == (0, "")
    assert "\nlegacy.user_id=profiles.id: left out: the types differ: user_id is text where id is uuid" in out
    assert await count(shop, f"{KEYS} and convalidated") == 1


async def test_orphans_exit_38_and_say_who_helps(database: Database, shop: Connection) -> None:
    """One line on stderr with their count per reason, and the commands that settle them."""
    await shop.execute(ORPHAN)
    status, _, err = await run_command(database.url, "constrain", "--apply", *NAMED)

    assert status == 38
    assert err == (
        "pgmend: orphans remain: orders.user_id=profiles.id: 1 (1 unknown) -> "
        "look at them with pgmend diagnose, settle them with pgmend repair, then run this again\n"
    )


async def test_not_valid_first_exits_3_while_orphans_remain(database: Database, shop: Connection) -> None:
    """The key holds new rows; the report is one object on stdout, and progress goes to stderr."""
    await shop.execute(ORPHAN)
    status, out, err = await run_command(database.url, "constrain", "--apply", "--json", "--not-valid-first", *NAMED)
    (outcome,) = json.loads(out)["references"]

    assert status == 3
    assert (outcome["key"], outcome["orphans"]) == ("fk_orders_user_id", {"unknown": 1})
    assert "not valid;" in err
    assert await count(shop, f"{KEYS} and not convalidated") == 1


async def test_plan_as_json_has_every_step(database: Database, shop: Connection) -> None:
    """For a pipeline: SQL, locks, duration, and whether it runs in a transaction."""
    status, out, _ = await run_command(database.url, "constrain", "--plan", "--json", *NAMED)
    (plan,) = json.loads(out)["references"]

    assert status == 0
    assert [step["step"] for step in plan["steps"]] == ["CreateIndex", "CountOrphans", "AddKey", "ValidateKey"]
    assert [step["in_transaction"] for step in plan["steps"]] == [False, True, True, True]
    assert plan["steps"][2]["locks"][1] == {"mode": "ShareRowExclusive", "on": "public.profiles"}
    assert await count(shop, KEYS) == 0


async def test_refused_reference_exits_39(database: Database, shop: Connection) -> None:
    """The plan shows the reason as well."""
    await shop.execute("create table public.legacy (user_id text)")
    status, out, err = await run_command(database.url, "constrain", "--reference", "legacy.user_id=profiles.id")

    assert status == 39
    assert "  refused: the types differ: user_id is text where id is uuid" in out
    assert err.startswith("pgmend: legacy.user_id=profiles.id cannot become a key: the types differ")


async def test_lock_that_is_never_granted_exits_40(database: Database, shop: Connection) -> None:
    """After the last attempt, with who is in the way."""
    other = await database.connect(application_name="a long report")
    async with other.transaction():
        await other.execute("insert into public.profiles (id, name) select id, 'x' from public.users")
        await other.execute("lock table public.profiles in row exclusive mode")
        limits = ("--lock-timeout", "50", "--attempts", "2")
        status, _, err = await run_command(database.url, "constrain", "--apply", *limits, *NAMED)

    assert status == 40
    assert "(a long report) of postgres: idle in transaction" in err
    assert await count(shop, KEYS) == 0


async def test_transaction_pooler_exits_41_unless_a_direct_address_is_set(
    database: Database, shop: Connection, pooled_url: str
) -> None:
    """An index cannot be made concurrently within a session's limits there; PGMEND_LISTEN_URL leads around it."""
    status, out, err = await run_command(pooled_url, "constrain", "--apply", *NAMED)
    around = await run_command(pooled_url, "constrain", "--apply", *NAMED, listen_url=database.url)

    assert (status, out) == (41, "")
    assert "a transaction pooler is in between" in err
    assert around[0] == 0
    assert await count(shop, f"{KEYS} and convalidated") == 1


async def test_table_of_another_role_exits_42(database: Database, shop: Connection) -> None:
    """The worker's own role may make no key."""
    await shop.execute("create role no_owner login in role pgmend_worker")
    url = database.cluster.url(database.name, "no_owner")
    status, _, err = await run_command(url, "constrain", "--reference", "orders.user_id=profiles.id", "--only", "orders.user_id")
    await shop.execute("drop role no_owner")

    assert status == 42
    assert "this role lacks the ownership of public.orders" in err


async def test_lock_timeout_that_reaches_for_deadlocks_exits_10(database: Database, shop: Connection) -> None:
    """Above the server's deadlock_timeout the application's statement might be the one that is ended."""
    status, _, err = await run_command(database.url, "constrain", "--apply", "--lock-timeout", "1000", *NAMED)

    assert status == 10
    assert "choose 1 to 999" in err
    assert await count(shop, KEYS) == 0
