"""Constrain on partitioned tables: partition by partition, and the whole without looking at a row again."""

import pytest

from tests.support.constrained import constrained, planned, refused, run_on, state
from tests.support.database import Database
from worker.core.constrain.step import AddKey, AttachIndex, CreateIndexOnly, Lock, ValidateKey, locks
from worker.store import constraints
from worker.store.connection import Connection
from worker.wishes import Asked, gather

PROFILES = """
    create table public.profiles (id int primary key);
    insert into public.profiles select generate_series(1, 50)
"""
VISITS = "visits.user_id=profiles.id"
BY = {
    "range": """
        create table public.visits (user_id int, n int) partition by range (n);
        create table public.visits_a partition of public.visits for values from (0) to (25);
        create table public.visits_b partition of public.visits for values from (25) to (1000)
    """,
    "hash": """
        create table public.visits (user_id int, n int) partition by hash (n);
        create table public.visits_a partition of public.visits for values with (modulus 2, remainder 0);
        create table public.visits_b partition of public.visits for values with (modulus 2, remainder 1)
    """,
    "list": """
        create table public.visits (user_id int, n int) partition by list (n);
        create table public.visits_a partition of public.visits for values in (1, 2, 3);
        create table public.visits_b partition of public.visits default
    """,
    "list, then range": """
        create table public.visits (user_id int, n int) partition by list (n);
        create table public.visits_a partition of public.visits for values in (1, 2, 3);
        create table public.visits_b partition of public.visits default partition by range (n);
        create table public.visits_b_a (n int, user_id int);
        alter table public.visits_b attach partition public.visits_b_a for values from (0) to (25);
        create table public.visits_b_b partition of public.visits_b for values from (25) to (1000)
    """,
}
SCANS = "select sum(seq_scan + coalesce(idx_scan, 0)) from pg_stat_xact_user_tables where relname like 'visits%'"
FILL = "insert into public.visits select n, n from generate_series(1, 50) as n"


@pytest.fixture(params=BY)
async def shop(request: pytest.FixtureRequest, empty_database: Database) -> Connection:
    """Profiles, and visits in partitions of each kind, without a key and without an index."""
    connection = await empty_database.connect()
    await connection.execute(f"{PROFILES}; {BY[request.param]}; {FILL}")
    return connection


@pytest.fixture
async def deep(empty_database: Database) -> Connection:
    """Profiles, and visits in partitions of partitions."""
    connection = await empty_database.connect()
    await connection.execute(f"{PROFILES}; {BY['list, then range']}; {FILL}")
    return connection


async def test_partitioned_table_gets_one_valid_key_and_one_index(empty_database: Database, shop: Connection) -> None:
    """Each partition's key and index is part of the one above it, all of them are valid, and no table has two."""
    (outcome,) = await constrained(empty_database, VISITS, on_delete=["visits.user_id=cascade"])
    found = await state(shop)
    keys = [row for row in found if "conname" in row]
    indexes = [row for row in found if "indisvalid" in row and row["name"] != "profiles_pkey"]
    tables = await shop.fetchval("select count(*) from pg_partition_tree('public.visits')")

    assert outcome.orphans == {}
    assert len(keys) == len(indexes) == tables
    assert [row["table"] for row in keys if row["above"] is None] == ["visits"]
    assert [row["name"] for row in indexes if row["above"] is None] == ["visits_by_user_id"]
    assert all(row["convalidated"] for row in keys)
    assert all(row["indisvalid"] for row in indexes)
    assert {row["definition"] for row in keys} == {"FOREIGN KEY (user_id) REFERENCES profiles(id) ON DELETE CASCADE"}
    assert (await planned(empty_database, VISITS))[0].steps == ()


async def test_new_partition_is_held_to_the_key_and_has_its_index(empty_database: Database, deep: Connection) -> None:
    """Since the key and the index are those of the partitioned table."""
    await constrained(empty_database, VISITS)
    await deep.execute("create table public.visits_c partition of public.visits for values in (999) partition by hash (n)")

    found = [row for row in await state(deep) if row.get("table") == "visits_c" or row.get("name", "").startswith("visits_c")]

    assert len(found) == 2


async def test_last_step_looks_at_no_row(empty_database: Database, deep: Connection) -> None:
    """What makes the keys of the partitions one is an instant: the server scans a partition only where it has no valid key."""
    control = "alter table public.visits add constraint whole foreign key (user_id) references public.profiles"
    assert await _scans(deep, control) > 0
    async with run_on(empty_database.url) as told:
        (wish,) = await gather(told.constraining.connection, Asked([VISITS]))
        while len((plan := await told.constraining.plan(wish, is_clean=True)).steps) > 1:
            await told.constraining._next(wish, is_clean=True)
        (last,) = plan.steps
        text = await constraints.text(deep, wish.reference, last)

    assert isinstance(last, AddKey | ValidateKey)
    assert last.table == "public.visits"
    assert await _scans(deep, text) == 0


async def _scans(connection: Connection, text: str) -> int:
    """Run a statement, undo it, and return how often it has begun to read a partition."""
    transaction = connection.transaction()
    await transaction.start()
    before = await connection.fetchval(SCANS)
    await connection.execute(text)
    after = await connection.fetchval(SCANS)
    await transaction.rollback()
    return int(after - before)


async def test_keys_that_partitions_have_already_become_part_of_the_one(empty_database: Database, deep: Connection) -> None:
    """A valid one is not validated again, one that is not valid is, and none is made beside them."""
    await deep.execute(
        """
        alter table public.visits_a add constraint mine foreign key (user_id) references public.profiles;
        alter table public.visits_b_a add constraint yours foreign key (user_id) references public.profiles not valid
        """
    )
    (outcome,) = await constrained(empty_database, VISITS)
    keys = {row["table"]: (row["conname"], row["above"]) for row in await state(deep) if "conname" in row}

    assert not any("visits_a validate" in text for text in outcome.done)
    assert any("visits_b_a validate" in text for text in outcome.done)
    assert keys["visits_a"] == ("mine", "visits")
    assert keys["visits_b_a"] == ("yours", "visits_b")
    assert len(keys) == 5


async def test_partition_whose_own_key_differs_is_refused(empty_database: Database, deep: Connection) -> None:
    """It would get a second key beside its own; asked for the same, it becomes part of the one."""
    await deep.execute(
        "alter table public.visits_a add constraint mine foreign key (user_id) references public.profiles on delete cascade"
    )
    line = await refused(empty_database, VISITS)
    await constrained(empty_database, VISITS, on_delete=["visits.user_id=cascade"])

    assert "public.visits_a has a key mine of its own that differs: on delete cascade, immediate" in line
    assert len([row for row in await state(deep) if "conname" in row]) == 5


async def test_indexes_that_partitions_have_already_are_attached(empty_database: Database, deep: Connection) -> None:
    """A plain one becomes part of the one; nothing is built twice."""
    await deep.execute("create index mine on public.visits_a (user_id); create index yours on public.visits_b (user_id)")
    (plan,) = await planned(empty_database, VISITS)
    await constrained(empty_database, VISITS)
    parts = {row["name"]: row["above"] for row in await state(deep) if "indisvalid" in row}

    made = [step for step in plan.steps if isinstance(step, CreateIndexOnly | AttachIndex)]
    assert [type(step).__name__ for step in made] == ["CreateIndexOnly", "AttachIndex", "AttachIndex"]
    assert (parts["mine"], parts["yours"]) == ("visits_by_user_id", "visits_by_user_id")


async def test_partitions_that_are_all_served_need_no_index(empty_database: Database, shop: Connection) -> None:
    """A wider index on each is enough; a person is told that a new partition would have none."""
    for table in await shop.fetch("select relid::regclass::text from pg_partition_tree('public.visits') where isleaf"):
        await shop.execute(f"create index on {table[0]} (user_id, n)")

    (plan,) = await planned(empty_database, VISITS)

    assert not any(isinstance(step, CreateIndexOnly) for step in plan.steps)
    assert any("a new partition would have none" in note for note in plan.notes)


async def test_referenced_table_that_is_partitioned_is_referred_to_as_a_whole(empty_database: Database, deep: Connection) -> None:
    """Both ends in partitions: one valid key, whatever the server keeps for each part of the other end."""
    await deep.execute(
        """
        create table public.people (id int primary key) partition by hash (id);
        create table public.people_a partition of public.people for values with (modulus 2, remainder 0);
        create table public.people_b partition of public.people for values with (modulus 2, remainder 1);
        insert into public.people select generate_series(1, 50)
        """
    )
    (outcome,) = await constrained(empty_database, "visits.user_id=people.id", on_delete=["visits.user_id=cascade"])
    keys = [row for row in await state(deep) if row.get("definition", "").startswith("FOREIGN KEY")]

    assert outcome.orphans == {}
    assert {row["table"] for row in keys if row["above"] is None} == {"visits"}
    assert all(row["convalidated"] for row in keys)
    assert (await planned(empty_database, "visits.user_id=people.id"))[0].steps == ()


async def test_lock_on_the_referenced_table_is_told_as_it_is(empty_database: Database, deep: Connection) -> None:
    """To take over keys of partitions locks the referenced table against readers, for an instant; Postgres 18 can do without."""
    major = deep.get_server_version().major
    (plan,) = await planned(empty_database, VISITS)
    adding = [step for step in plan.steps if isinstance(step, AddKey)]

    strongest = Lock("AccessExclusive", "public.profiles")
    assert len(adding) == (1 if major >= 18 else 4)
    assert (strongest in locks(adding[-1])) is (major < 18)


async def test_orphan_in_one_partition_stops_the_whole(empty_database: Database, deep: Connection) -> None:
    """And the rest of the partitions is held to the key where that is wished first."""
    await deep.execute("insert into public.visits values (99, 30)")
    (stopped,) = await constrained(empty_database, VISITS, not_valid_first=True)
    keys = [row for row in await state(deep) if "conname" in row]

    assert stopped.orphans == {"unknown": 1}
    assert {row["table"] for row in keys} >= {"visits_a", "visits_b_a", "visits_b_b"}
    assert not any(row["convalidated"] for row in keys)
