"""Constrain: from any state of a reference to a valid key with a supporting index, and nothing twice."""

import pytest

from tests.support.constrained import constrained, planned, refused, run_on, state
from tests.support.database import Database
from worker.core.constrain.step import CountOrphans, CreateIndex, ValidateKey
from worker.store import constraints
from worker.store.connection import Connection
from worker.wishes import Asked, gather

TABLES = """
    create table public.profiles (id uuid primary key default gen_random_uuid(), org int, unique (org, id));
    create table public.orders (id int generated always as identity primary key, user_id uuid not null);
    insert into public.profiles (org) select n from generate_series(1, 20) as n;
    insert into public.orders (user_id) select id from public.profiles
"""
ORDERS = "orders.user_id=profiles.id"
KEY = "alter table public.orders add constraint {} foreign key (user_id) references public.profiles (id) {}"


@pytest.fixture
async def shop(empty_database: Database) -> Connection:
    """Profiles, and orders that refer to them without a key; nothing of pgmend is installed."""
    connection = await empty_database.connect()
    await connection.execute(TABLES)
    return connection


async def keys(connection: Connection) -> dict[str, tuple[str, bool]]:
    """Return the definition of each foreign key, and whether it is valid."""
    rows = [row for row in await state(connection) if "conname" in row]
    return {row["conname"]: (row["definition"], row["convalidated"]) for row in rows}


async def indexes(connection: Connection, table: str = "orders") -> dict[str, bool]:
    """Return the indexes of a table, and whether they are valid."""
    rows = [row for row in await state(connection) if "indisvalid" in row and f" public.{table} " in row["definition"]]
    return {row["name"]: row["indisvalid"] for row in rows}


async def test_missing_key_is_made_with_its_index_and_validated(empty_database: Database, shop: Connection) -> None:
    """The index first, concurrently; then the key not valid, then valid, as it was asked for."""
    (outcome,) = await constrained(
        empty_database, ORDERS, names=["orders.user_id=fk_orders_user_id"], on_delete=["orders.user_id=cascade"]
    )

    said = [" ".join(text.split()[:3]) for text in outcome.done]
    assert said == ["create index concurrently", "select count(*) from", *["alter table public.orders"] * 2]
    assert await keys(shop) == {"fk_orders_user_id": ("FOREIGN KEY (user_id) REFERENCES profiles(id) ON DELETE CASCADE", True)}
    assert await indexes(shop) == {"orders_by_user_id": True, "orders_pkey": True}


async def test_second_run_has_nothing_to_do(empty_database: Database, shop: Connection) -> None:
    """What is so already is found so: no step, and no change."""
    await constrained(empty_database, ORDERS)
    before = await state(shop)

    (plan,) = await planned(empty_database, ORDERS)
    (outcome,) = await constrained(empty_database, ORDERS)

    assert (plan.steps, outcome.done) == ((), ())
    assert await state(shop) == before


async def test_plan_changes_nothing(empty_database: Database, shop: Connection) -> None:
    """A plan is looked at as often as one likes."""
    before = await state(shop)

    (plan,) = await planned(empty_database, ORDERS)

    assert len(plan.steps) == 4
    assert await state(shop) == before


async def test_key_that_is_not_valid_is_validated_as_it_stands(empty_database: Database, shop: Connection) -> None:
    """Neither its name nor its ON DELETE changes, whatever is wished of a new key; the difference is told."""
    await shop.execute(KEY.format("fk_of_old", "on delete restrict not valid"))

    (outcome,) = await constrained(empty_database, ORDERS, names=["orders.user_id=fk_new"], on_delete=["orders.user_id=cascade"])

    assert list(await keys(shop)) == ["fk_of_old"]
    assert (await keys(shop))["fk_of_old"][1]
    assert any("under the name fk_of_old" in note for note in outcome.notes)
    assert any("on delete restrict, not cascade" in note for note in outcome.notes)


async def test_of_two_keys_that_say_the_same_none_is_dropped(empty_database: Database, shop: Connection) -> None:
    """The valid one is used, and a person is told which of them could go."""
    await shop.execute(KEY.format("fk_a", "not valid"))
    await shop.execute(KEY.format("fk_b", "on delete cascade"))

    (outcome,) = await constrained(empty_database, ORDERS)

    assert {name: valid for name, (_, valid) in (await keys(shop)).items()} == {"fk_a": False, "fk_b": True}
    assert "two keys say the same: fk_b is used, and fk_a, which is not valid could go" in " ".join(outcome.notes)


@pytest.mark.parametrize(
    ("present", "is_enough"),
    [
        ("create index on public.orders (user_id, id)", True),
        ("create index on public.orders (id, user_id)", False),
        ("create index on public.orders (user_id) where id > 5", False),
        ("create index on public.orders using hash (user_id)", False),
        ("create unique index on public.orders (user_id)", True),
    ],
)
async def test_index_is_made_only_where_none_serves(
    empty_database: Database, shop: Connection, present: str, *, is_enough: bool
) -> None:
    """One that begins with the columns and is neither partial nor of another kind is enough."""
    await shop.execute(present)

    (plan,) = await planned(empty_database, ORDERS)

    assert any(isinstance(step, CreateIndex) for step in plan.steps) is not is_enough


async def test_foreign_invalid_index_is_reported_and_left_alone(empty_database: Database, shop: Connection) -> None:
    """Only what has the name and the definition that pgmend would give it is dropped."""
    await shop.execute("create index theirs on public.orders (user_id)")
    await shop.execute("update pg_index set indisvalid = false where indexrelid = 'public.theirs'::regclass")

    (outcome,) = await constrained(empty_database, ORDERS)

    assert await indexes(shop) == {"orders_by_user_id": True, "orders_pkey": True, "theirs": False}
    assert "public.theirs is invalid and not of pgmend's making: it is left alone" in outcome.notes


async def test_name_of_the_index_that_is_taken_is_passed_by(empty_database: Database, shop: Connection) -> None:
    """Whatever has the name, a table or an index on something else, keeps it."""
    await shop.execute("create table public.orders_by_user_id (); create index orders_by_user_id_1 on public.orders (id)")

    await constrained(empty_database, ORDERS)

    assert (await indexes(shop))["orders_by_user_id_2"]


async def test_types_that_differ_are_refused_before_anything_is_changed(empty_database: Database, shop: Connection) -> None:
    """The reason names both types and the server's own code, and what to do."""
    await shop.execute("create table public.legacy (user_id text)")
    before = await state(shop)

    line = await refused(empty_database, ORDERS, "legacy.user_id=profiles.id")

    assert "user_id is text where id is uuid (the server says 42804)" in line
    assert "map legacy keys with pgmend repair" in line
    assert await state(shop) == before


@pytest.mark.parametrize(
    ("type_name", "referenced_type", "is_taken"),
    [
        ("int", "bigint", True),
        ("bigint", "smallint", True),
        ("varchar(40)", "text", True),
        ("int", "numeric", True),
        ("numeric", "int", False),
        ("int", "text", False),
        ("age", "int", True),
    ],
)
async def test_types_are_refused_exactly_where_the_server_refuses_them(
    empty_database: Database, shop: Connection, type_name: str, referenced_type: str, *, is_taken: bool
) -> None:
    """Types need not be the same: the key's index has to compare them."""
    await shop.execute(
        f"create domain age as int; create table public.people (id {referenced_type} primary key); "
        f"create table public.pets (owner {type_name})"
    )

    (plan,) = await planned(empty_database, "pets.owner=people.id")

    assert (plan.refusals == ()) is is_taken
    if is_taken:
        await constrained(empty_database, "pets.owner=people.id")


async def test_columns_that_are_not_unique_are_refused_with_the_sql_that_makes_them_so(
    empty_database: Database, shop: Connection
) -> None:
    """A key leads to a unique key; once the SQL has run the reference is constrained."""
    await shop.execute("create table public.teams (org int)")
    line = await refused(empty_database, "teams.org=profiles.org")
    mend = line.partition(" -> ")[2].removesuffix(";")

    assert mend == "create unique index concurrently profiles_org_key on public.profiles (org)"
    await shop.execute(mend)
    await constrained(empty_database, "teams.org=profiles.org")
    assert list(await keys(shop)) == ["teams_org_fkey"]


async def test_orphans_stop_it_before_the_key_and_are_counted_by_reason(empty_database: Database, shop: Connection) -> None:
    """No key is made that would have to stay not valid; the index is there already."""
    await shop.execute("insert into public.orders (user_id) select gen_random_uuid() from generate_series(1, 3)")

    (outcome,) = await constrained(empty_database, ORDERS)

    assert outcome.orphans == {"unknown": 3}
    assert await keys(shop) == {}


async def test_key_that_is_not_valid_first_keeps_new_orphans_out_while_old_ones_remain(
    empty_database: Database, shop: Connection
) -> None:
    """Then it stops; once the old ones are settled the same command goes on to the end."""
    await shop.execute("insert into public.orders (user_id) select gen_random_uuid() from generate_series(1, 3)")
    (stopped,) = await constrained(empty_database, ORDERS, not_valid_first=True)
    not_valid = await keys(shop)
    await shop.execute("delete from public.orders where user_id not in (select id from public.profiles)")
    (finished,) = await constrained(empty_database, ORDERS, not_valid_first=True)

    assert stopped.orphans == {"unknown": 3}
    assert [valid for _, valid in not_valid.values()] == [False]
    assert finished.orphans == {}
    assert [valid for _, valid in (await keys(shop)).values()] == [True]


async def test_null_refers_to_nothing_and_is_no_orphan(empty_database: Database, shop: Connection) -> None:
    """As the database has it."""
    await shop.execute("alter table public.orders alter user_id drop not null; insert into public.orders values (default, null)")

    (outcome,) = await constrained(empty_database, ORDERS, on_delete=["orders.user_id=set null"])

    assert outcome.orphans == {}
    assert "ON DELETE SET NULL" in (await keys(shop))["orders_user_id_fkey"][0]


async def test_set_null_on_a_column_that_may_not_be_null_is_refused(empty_database: Database, shop: Connection) -> None:
    """The first deleted profile would fail."""
    assert await keys(shop) == {}
    line = await refused(empty_database, ORDERS, on_delete=["orders.user_id=set null"])

    assert "user_id may not be null" in line


async def test_name_that_another_constraint_has_is_refused(empty_database: Database, shop: Connection) -> None:
    """A given name is taken at its word; one that is not given finds a free one."""
    await shop.execute("alter table public.orders add constraint orders_user_id_fkey check (id > 0)")
    line = await refused(empty_database, ORDERS, names=["orders.user_id=orders_user_id_fkey"])
    await constrained(empty_database, ORDERS)

    assert "another constraint of public.orders has the name orders_user_id_fkey" in line
    assert list(await keys(shop)) == ["orders_user_id_fkey1"]


async def test_key_that_is_not_enforced_is_refused(empty_database: Database, shop: Connection) -> None:
    """It stands and holds nothing, and the server validates no such key."""
    if shop.get_server_version().major < 18:
        pytest.skip("every key is enforced before Postgres 18")
    await shop.execute(KEY.format("fk_loose", "not enforced"))

    assert "the key fk_loose of public.orders stands NOT ENFORCED" in await refused(empty_database, ORDERS)


async def test_composite_key_is_made_pair_by_pair(empty_database: Database, shop: Connection) -> None:
    """And found again whatever the order in which it is spelled."""
    await shop.execute("create table public.bills (payer uuid, org int)")
    await constrained(empty_database, "bills.org,payer=profiles.org,id")
    (plan,) = await planned(empty_database, "bills.payer,org=profiles.id,org")

    assert await keys(shop) == {"bills_org_payer_fkey": ("FOREIGN KEY (org, payer) REFERENCES profiles(org, id)", True)}
    assert plan.steps == ()


async def test_key_on_other_columns_is_another_key(empty_database: Database, shop: Connection) -> None:
    """Two references between the same two tables are two, and so are two ways to pair the same columns."""
    await shop.execute(
        """
        alter table public.orders add seller_id uuid references public.profiles;
        alter table public.profiles add parent int, add unique (parent, org);
        create table public.bills (payer int, org int, foreign key (payer, org) references public.profiles (org, parent))
        """
    )
    await constrained(empty_database, ORDERS, "bills.org,payer=profiles.org,parent")

    assert set(await keys(shop)) == {
        *("orders_seller_id_fkey", "orders_user_id_fkey"),
        *("bills_payer_org_fkey", "bills_org_payer_fkey"),
    }


async def test_table_that_refers_to_itself_is_constrained(empty_database: Database, shop: Connection) -> None:
    """One table, one lock."""
    await shop.execute(
        "create table public.staff (id int primary key, boss int); insert into public.staff values (1, null), (2, 1)"
    )
    (outcome,) = await constrained(empty_database, "staff.boss=staff.id")

    assert (await keys(shop))["staff_boss_fkey"][1]
    assert outcome.orphans == {}


async def test_quoted_names_are_quoted_everywhere(empty_database: Database, shop: Connection) -> None:
    """Schema, table, columns, key and index: capitals, blanks, dots and quotes."""
    await shop.execute(
        """
        create schema "My App";
        create table "My App"."User.Profile" ("the Id" int primary key);
        create table "My App"."Or""der" ("user Id" int)
        """
    )
    (outcome,) = await constrained(
        empty_database,
        '"My App"."Or""der"."user Id"="My App"."User.Profile"."the Id"',
        names=['"My App"."Or""der".user Id=Fk "of" it'],
    )

    assert outcome.key_name == 'Fk "of" it'
    assert (await keys(shop))['Fk "of" it'][1]
    assert await shop.fetchval(
        """select indexrelid::regclass::text from pg_index where indrelid = '"My App"."Or""der"'::regclass"""
    )


@pytest.mark.parametrize(
    ("asked", "definition"), [("orders.user_id", "DEFERRABLE"), ("orders.user_id=deferred", "DEFERRABLE INITIALLY DEFERRED")]
)
async def test_deferrable_key_is_made_where_it_is_asked_for(
    empty_database: Database, shop: Connection, asked: str, definition: str
) -> None:
    """As the person says: to be deferred by a transaction, or deferred from the beginning."""
    await constrained(empty_database, ORDERS, deferrable=[asked])

    assert (await keys(shop))["orders_user_id_fkey"] == (f"FOREIGN KEY (user_id) REFERENCES profiles(id) {definition}", True)


async def test_orphan_that_comes_between_count_and_key_is_counted_as_well(empty_database: Database, shop: Connection) -> None:
    """What makes the validation fail is told like any other orphan, and the key stays not valid."""
    await shop.execute("insert into public.orders (user_id) values (gen_random_uuid())")
    await shop.execute(KEY.format("fk_orders", "not valid"))
    async with run_on(empty_database.url) as told:
        (wish,) = await gather(told.constraining.connection, Asked([ORDERS]))
        plan = await told.constraining.plan(wish, is_clean=True)
        step = next(step for step in plan.steps if isinstance(step, ValidateKey))
        text = await constraints.text(told.constraining.connection, wish.reference, step)
        await told.constraining._perform(wish, step, text)

        assert told.constraining._orphans == 1
        assert not any(isinstance(step, CountOrphans) for step in plan.steps)
