"""The watch for orphans: one audit entry for each reference and change, and no look that nobody needs."""

import asyncio
import json
import uuid
from io import StringIO

import asyncpg
import pytest

from tests.integration.conftest import MakeRole
from tests.support.database import Database, count
from tests.support.shop_of_orphans import planned, repaired, settled
from tests.support.waiting import eventually
from worker.log import Log
from worker.runtime.orphan_watch import OrphanWatch
from worker.runtime.stopping import Stop
from worker.runtime.sweeper import Sweeper
from worker.store import orphans, references
from worker.store.connection import Connection, Target, connect
from worker.store.people import attached

ENTRIES = "public.error_logs where error_type = 'ORPHANED_ORDER_DETECTED'"
COUNTED = f"select severity, details from {ENTRIES} and details ? 'orphans_before' order by id"
LOOSE = """
    alter table public.orders drop constraint fk_orders_user_id;
    alter table public.orders add constraint fk_orders_user_id foreign key (user_id) references public.profiles (id) not valid
"""
LENT = """
    set session_replication_role = replica;
    alter table public.profiles add column tenant int not null default 1, add unique (tenant, id);
    create table public.members (id uuid primary key, is_banned boolean);
    create table public.bills (tenant int, payer uuid);
    alter table public.bills add constraint bills_payer_fkey
        foreign key (tenant, payer) references public.profiles (tenant, id) not valid;
    insert into pgmend.profile_sources (users_table, users_key, profiles_table, profiles_key, recipe, erased_when)
    values ('public.members', 'id', 'public.profiles', 'id', '{}', 'users.is_banned');
    insert into public.profiles (id, name) values (md5('whole')::uuid, 'whole');
    insert into public.users (id, email, deleted_at) values
        (md5('erased')::uuid, 'e', now()), (md5('both')::uuid, 'b', now()), (md5('user')::uuid, 'u', null);
    insert into public.members values (md5('both')::uuid, false), (md5('member')::uuid, null), (md5('banned')::uuid, true);
    insert into public.error_logs (error_type, severity, user_id, message)
    values ('MISSING_PROFILE_CREATED', 'info', md5('gone')::uuid, 'was there');
    insert into public.bills
    select tenant, md5(name)::uuid
    from unnest('{whole,erased,both,user,member,banned,gone,unknown}'::text[]) as name, unnest('{1,1,2,null}'::int[]) as tenant;
    insert into public.orders (user_id, amount)
    select md5(name)::uuid, 1 from unnest('{whole,erased,both,user,member,banned,gone,unknown}'::text[]) as name;
    set session_replication_role = origin
"""
DAY = 86_400.0


async def orphan(connection: Connection, orders: int) -> None:
    """Insert orders of nobody, as a restore would: without any trigger."""
    await connection.execute("set session_replication_role = replica")
    await connection.executemany("insert into public.orders (user_id, amount) values ($1, 1)", [(uuid.uuid4(),)] * orders)
    await connection.execute("set session_replication_role = origin")


async def changes(connection: Connection) -> list[tuple[str, int, int]]:
    """Return what was audited of each count: severity, orphans, and orphans before."""
    said = [(row["severity"], json.loads(row["details"])) for row in await connection.fetch(COUNTED)]
    return [(severity, details["orphans"], details["orphans_before"]) for severity, details in said]


def watch(interval: float = DAY) -> OrphanWatch:
    """Return a watch that never looked before."""
    return OrphanWatch(interval, 10.0)


async def test_each_change_of_the_number_is_audited_once(connection: Connection, log: Log) -> None:
    """Three orphans, three still, five, none: three entries, by whichever worker."""
    await connection.execute(LOOSE)
    await orphan(connection, 3)
    for orders in (0, 2):
        await orphan(connection, orders)
        await watch().look(connection, log)
        await watch().look(connection, log)
    await connection.execute("delete from public.orders")
    await watch().look(connection, log)

    assert await changes(connection) == [("warning", 3, 0), ("warning", 5, 3), ("info", 0, 5)]


async def test_count_after_a_repair_says_that_no_orphan_is_left(database: Database, connection: Connection, log: Log) -> None:
    """Entries of the repair itself have the same type, and change nothing of what was counted before it."""
    await connection.execute(LOOSE)
    await orphan(connection, 3)
    await watch().look(connection, log)
    session = await settled(database)
    await repaired(session, await planned(session, "public.orders.user_id=public.profiles.id"))
    await watch().look(connection, log)

    assert await changes(connection) == [("warning", 3, 0), ("info", 0, 3)]


async def test_two_keys_of_one_reference_are_one_change(connection: Connection, log: Log) -> None:
    """The rows are the same under both."""
    await connection.execute(LOOSE)
    await orphan(connection, 1)
    await connection.execute("alter table public.orders add foreign key (user_id) references public.profiles (id) not valid")
    await watch().look(connection, log)

    assert await changes(connection) == [("warning", 1, 0)]


async def test_two_workers_that_count_at_once_write_one_entry(database: Database, connection: Connection, log: Log) -> None:
    """The second waits until the first has written, and finds its number known."""
    await connection.execute(LOOSE)
    await orphan(connection, 1)
    first, second = await database.connect(), await database.connect()
    async with first.transaction():
        await orphans.lock(first)
        await watch().look(first, log)
        looking = asyncio.ensure_future(watch().look(second, log))

        async def waits() -> bool:
            return await count(connection, "pg_locks where locktype = 'advisory' and not granted") == 1

        await eventually(waits)
    await looking

    assert await count(connection, ENTRIES) == 1


async def test_entry_names_reference_and_reasons_and_no_user(connection: Connection, log: Log, log_lines: StringIO) -> None:
    """The details say which reference and why; the log says the same."""
    await connection.execute(LOOSE)
    await orphan(connection, 2)
    await watch().look(connection, log)
    entry = await connection.fetchrow(f"select user_id, table_name, constraint_name, details from {ENTRIES}")
    assert entry is not None

    assert (entry["user_id"], entry["table_name"], entry["constraint_name"]) == (None, "public.orders", "fk_orders_user_id")
    assert json.loads(entry["details"])["by_reason"] == {"unknown": 2}
    assert json.loads(log_lines.getvalue())["reference"] == "public.orders.user_id=public.profiles.id"


async def test_column_that_lost_its_key_is_watched(connection: Connection, log: Log) -> None:
    """A key that is gone still shows by the name of its column."""
    await connection.execute("alter table public.orders drop constraint fk_orders_user_id")
    await orphan(connection, 1)
    await watch().look(connection, log)

    assert await count(connection, f"{ENTRIES} and constraint_name is null") == 1


async def test_key_that_is_lost_or_holds_again_is_audited_once(connection: Connection, log: Log, log_lines: StringIO) -> None:
    """Replaced by one that is not valid, validated, dropped: three entries, however often somebody looks."""
    valid = "alter table public.orders validate constraint fk_orders_user_id"
    for change in ("select", LOOSE, valid, "alter table public.orders drop constraint fk_orders_user_id"):
        await connection.execute(change)
        await watch().look(connection, log)
        await watch().look(connection, log)

    rows = await connection.fetch(
        "select error_type, severity, constraint_name from public.error_logs where error_type like 'FOREIGN_KEY_%' order by id"
    )
    assert [tuple(row) for row in rows] == [
        ("FOREIGN_KEY_LOST", "warning", "fk_orders_user_id"),
        ("FOREIGN_KEY_VALIDATED", "info", "fk_orders_user_id"),
        ("FOREIGN_KEY_LOST", "warning", None),
    ]
    lines = [json.loads(line) for line in log_lines.getvalue().splitlines()]
    assert [(line["event"], line["error_type"]) for line in lines] == [("foreign_key_changed", row[0]) for row in rows]


async def test_key_of_several_columns_that_is_dropped_is_audited_as_lost(connection: Connection, log: Log) -> None:
    """Nothing else tells that it was a reference; a table that is dropped has lost nothing."""
    await connection.execute("alter table public.profiles add column tenant int, add unique (tenant, id)")
    for table in ("bills", "gone"):
        await connection.execute(f"""
            create table public.{table} (tenant int, payer uuid, constraint {table}_payer_fkey
            foreign key (tenant, payer) references public.profiles (tenant, id))""")
    await watch().look(connection, log)
    await connection.execute("alter table public.bills drop constraint bills_payer_fkey; drop table public.gone")
    await watch().look(connection, log)
    await watch().look(connection, log)

    lost = await connection.fetch("select table_name, details from public.error_logs where error_type = 'FOREIGN_KEY_LOST'")
    assert [(row["table_name"], json.loads(row["details"])["constraint_before"]) for row in lost] == [
        ("public.bills", "bills_payer_fkey")
    ]


async def test_valid_key_is_looked_at_once_in_an_interval(connection: Connection, log: Log) -> None:
    """Only triggers that were off let orphans past it; a key that is not valid is looked at again as soon as may be."""
    watching = watch()
    await watching.look(connection, log)
    await orphan(connection, 1)
    watching._unproven_due = 0.0
    await watching.look(connection, log)
    assert await count(connection, ENTRIES) == 0

    watching._proven_due = 0.0
    await watching.look(connection, log)
    assert await count(connection, ENTRIES) == 1


async def test_counting_takes_a_small_part_of_the_time(connection: Connection, log: Log) -> None:
    """What took a second is not counted again for a hundred seconds."""
    await connection.execute(LOOSE)
    watching = watch()
    await watching.look(connection, log)
    await orphan(connection, 1)
    await watching.look(connection, log)

    assert await count(connection, ENTRIES) == 0
    assert watching._unproven_due < watching._proven_due


async def test_interval_of_zero_looks_never(connection: Connection, log: Log) -> None:
    """Neither at valid keys nor at others."""
    await connection.execute(LOOSE)
    await orphan(connection, 1)
    await watch(0).look(connection, log)

    assert await count(connection, ENTRIES) == 0


@pytest.fixture
async def worker(connection: Connection) -> Connection:
    """A session of the role that a worker has, which may read no table of the application."""
    await connection.execute("set role pgmend_worker")
    return connection


async def test_worker_without_rights_counts_what_a_key_declares(worker: Connection, log: Log, log_lines: StringIO) -> None:
    """With the installer's rights, and for each reason as everybody else counts them."""
    await worker.execute("reset role")
    await orphan(worker, 2)
    await worker.execute("insert into public.users (email) values ('ada@x')")
    await worker.execute("set session_replication_role = replica")
    await worker.execute("insert into public.orders (user_id, amount) select id, 1 from public.users")
    await worker.execute("set session_replication_role = origin; set role pgmend_worker")
    await watch().look(worker, log)
    (line,) = [json.loads(line) for line in log_lines.getvalue().splitlines()]

    assert (line["event"], line["by_reason"]) == ("orphans_detected", {"unknown": 2, "healable": 1})


async def test_owner_who_is_not_trusted_is_lent_nothing(
    worker: Connection, make_role: MakeRole, log: Log, log_lines: StringIO
) -> None:
    """Whoever owns a table chooses its casts and operators: they do not run with the installer's rights."""
    await worker.execute("reset role")
    await make_role("stranger")
    await worker.execute("alter table public.orders owner to stranger; set role pgmend_worker")
    await watch().look(worker, log)
    (line,) = [json.loads(line) for line in log_lines.getvalue().splitlines()]

    assert (line["event"], line["reference"]) == ("reference_skipped", "orders.user_id=profiles.id")
    assert "not to be trusted" in line["reason"]
    await worker.execute("reset role; alter table public.orders owner to current_user")


@pytest.mark.parametrize("key", ["conversations_pkey", "chat_messages_conversation_id_fkey"])
async def test_nothing_but_a_key_to_attached_profiles_is_counted(worker: Connection, key: str) -> None:
    """A worker cannot choose what is looked at."""
    with pytest.raises(asyncpg.UndefinedObjectError, match="no foreign key to attached profiles"):
        await worker.fetch("select * from pgmend.tally_orphans((select oid from pg_constraint where conname = $1))", key)


async def test_lent_count_agrees_with_a_look_of_ones_own(connection: Connection) -> None:
    """Composite keys, two sources, the erased and those who are gone: both see the same."""
    await connection.execute(f"{LENT}; set search_path = pg_catalog, pg_temp")
    people = await attached(connection, is_audited=True)
    for listed in await references.declared(connection, "public.profiles"):
        own = {(it.reason, it.orphans, it.keys) for it in await orphans.tally(connection, listed, people)}
        lent = {(it.reason, it.orphans, it.keys) for it in await orphans.lent_tally(connection, listed)}
        assert lent == own
        if listed.constraint_name == "bills_payer_fkey":
            assert {reason for reason, *_ in lent} == {"mismatched", "healable", "erased", "gone", "unknown"}


async def test_worker_without_rights_says_so_once(worker: Connection, log: Log, log_lines: StringIO) -> None:
    """A column that no key declares is not counted for it; that is no error, and is not said again."""
    await worker.execute("reset role; alter table public.orders drop constraint fk_orders_user_id; set role pgmend_worker")
    watching = watch()
    await watching.look(worker, log)
    watching._proven_due = 0.0
    await watching.look(worker, log)
    lines = [json.loads(line) for line in log_lines.getvalue().splitlines()]

    assert {line["event"] for line in lines} == {"reference_skipped"}
    assert [line["reference"] for line in lines] == ["orders.user_id=profiles.id"]


async def test_orphans_that_can_no_longer_be_seen_are_not_gone(worker: Connection, log: Log) -> None:
    """What was counted with more rights stays known, and nothing is said of it."""
    await worker.execute("reset role; alter table public.orders drop constraint fk_orders_user_id")
    await orphan(worker, 1)
    await watch().look(worker, log)
    await worker.execute("set role pgmend_worker")
    await watch().look(worker, log)
    await worker.execute("reset role")

    assert await changes(worker) == [("warning", 1, 0)]
    assert await count(worker, "pgmend.orphan_counts where orphans = 1") == 1


async def test_worker_counts_what_it_was_granted(worker: Connection, log: Log) -> None:
    """``grant select`` on the tables is all that it takes."""
    await worker.execute("reset role")
    await orphan(worker, 1)
    await worker.execute("grant select on public.orders, public.profiles, public.users to pgmend_worker; set role pgmend_worker")
    await watch().look(worker, log)
    await worker.execute("reset role")

    assert await count(worker, ENTRIES) == 1


async def test_sweeper_looks_after_its_sweep(database: Database, connection: Connection, log: Log) -> None:
    """On the sweeper's own connection, whose settings are made for short statements on large tables."""
    await connection.execute(LOOSE)
    await orphan(connection, 1)
    await Sweeper(Target(database.url), Stop(), log, watch=watch())._sweep_once()

    assert await count(connection, ENTRIES) == 1


async def test_nothing_attached_is_nothing_to_look_at(database: Database, log: Log, log_lines: StringIO) -> None:
    """A worker that waits for its first source has no reference to watch."""
    connection = await connect(Target(database.url))
    await connection.execute("delete from pgmend.guarded_constraints; delete from pgmend.profile_sources")
    await watch().look(connection, log)
    await connection.close()

    assert log_lines.getvalue() == ""
