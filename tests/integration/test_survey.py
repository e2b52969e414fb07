"""The survey: its numbers are those of hand-written SQL, whatever shape the tables have."""

from datetime import timedelta

import pytest

from tests.support.database import Database, count
from tests.support.surveyed import PEOPLE, by_reason, examined, surveyed
from worker.errors import ConditionRefusedError, NameUnknownError, PeopleUnknownError
from worker.store import orphans, people, references
from worker.store.connection import Connection
from worker.survey import Named

KEYS = "unnest(array['whole', 'healable', 'healable', 'erased', 'unknown', 'nobody', null]) as name"
LEFT_BEHIND = "update pg_index set indisvalid = false where indexrelid = 'public.found'::regclass"
ORPHANS = {"healable": (2, 1), "erased": (1, 1), "unknown": (2, 2)}
"""What ``KEYS`` holds: orphans and distinct keys."""


@pytest.fixture
async def shop(empty_database: Database) -> Connection:
    """A database with users and profiles, which has never heard of pgmend."""
    connection = await empty_database.connect()
    await connection.execute(PEOPLE)
    return connection


async def test_numbers_are_those_of_hand_written_sql(shop: Connection, empty_database: Database) -> None:
    """Orphans, distinct keys and rows, of a table without a key."""
    await shop.execute(f"create table public.orders as select md5(name)::uuid as user_id from {KEYS}")

    found = await examined(empty_database, "public.orders")

    assert by_reason(found) == ORPHANS
    lost = "public.orders as o where user_id is not null and not exists (select from profiles as p where p.id = o.user_id)"
    assert found.orphans == await count(shop, lost) == 5
    assert found.keys == await count(shop, f"(select distinct user_id from {lost}) as keys") == 4
    assert (found.rows, found.share) == (await count(shop, "public.orders"), 100 * 5 / 7)


async def test_coverage_is_that_of_hand_written_sql(shop: Connection, empty_database: Database) -> None:
    """Users, erased and eligible ones, profiles, and who has none; who is erased needs none."""
    (standing,) = (await surveyed(empty_database.url)).standings
    coverage = standing.coverage
    assert coverage is not None

    assert (coverage.users, coverage.erased, coverage.eligible) == (3, 1, 2)
    assert coverage.profiles == await count(shop, "public.profiles") == 1
    assert (coverage.missing, coverage.percent) == (1, 50.0)


async def test_columns_and_constraints_of_the_profiles_are_told(shop: Connection, empty_database: Database) -> None:
    """Types, NOT NULL, defaults; keys and checks as SQL."""
    await shop.execute("alter table public.profiles add constraint org_is_positive check (org > 0)")
    (standing,) = (await surveyed(empty_database.url)).standings

    assert [(it.name, it.type, it.is_required, it.initial) for it in standing.columns] == [
        ("id", "uuid", True, ""),
        ("org", "integer", True, "1"),
    ]
    assert {it.name: it.definition for it in standing.constraints} == {
        "profiles_pkey": "PRIMARY KEY (id)",
        "profiles_org_id_key": "UNIQUE (org, id)",
        "org_is_positive": "CHECK ((org > 0))",
    }


async def test_first_and_last_seen_tell_whether_it_goes_on(shop: Connection, empty_database: Database) -> None:
    """By the column that says when a row was made; an orphan of the last hour is one of the last day, too."""
    await shop.execute(
        """
        create table public.orders (user_id uuid, "insertedAt" timestamp, "createdAt" timestamptz);
        insert into public.orders
        select md5('unknown')::uuid, null, now() - age
        from unnest(array['9 days', '3 hours', '1 minute']::interval[]) as age
        """
    )
    found = await examined(empty_database, "public.orders")
    assert found.first_seen is not None
    assert found.last_seen is not None

    assert found.seen_column == "createdAt"
    assert (found.last_hour, found.last_day) == (1, 2)
    assert found.last_seen - found.first_seen == timedelta(days=9) - timedelta(minutes=1)


async def test_time_without_a_zone_is_one_of_greenwich(shop: Connection, empty_database: Database) -> None:
    """Wherever the server stands."""
    await shop.execute(
        f"""
        alter database {empty_database.name} set timezone = 'Asia/Tokyo';
        create table public.orders (user_id uuid, created_on timestamp);
        insert into public.orders values (md5('unknown')::uuid, now() at time zone 'UTC' - interval '1 minute')
        """
    )

    assert (await examined(empty_database, "public.orders")).last_hour == 1


async def test_sample_holds_the_keys_with_the_most_orphans(shop: Connection, empty_database: Database) -> None:
    """As many as wished, of each reason, and never anything but keys."""
    await shop.execute(
        "create table public.orders as select md5(repeat('x', n))::uuid as user_id from generate_series(1, 9) as n, "
        "generate_series(1, n)"
    )
    found = await examined(empty_database, "public.orders", sample=2)

    expected = [await shop.fetchval("select (md5(repeat('x', $1))::uuid)::text", n) for n in (9, 8)]
    assert list(found.tallies[0].sample) == expected


async def test_table_is_read_once(connection: Connection) -> None:
    """Totals, times and samples come of one scan of the referencing table."""
    await connection.execute("set session_replication_role = replica")
    await connection.execute("insert into orders (user_id, amount) select gen_random_uuid(), 1 from generate_series(1, 9)")
    reference = await references.named(connection, ("public.orders", "user_id"), ("public.profiles", "id"))
    (whose,) = await people.attached(connection, is_audited=True)
    assert reference is not None
    async with connection.transaction(readonly=True):
        await orphans.limit(connection, statement_seconds=10, lock_seconds=1)
        await connection.execute("set local search_path = public")
        (found,) = await orphans.tally(connection, reference, [whose], seen_column="created_at", sample=3)
        scans = await connection.fetchval(
            "select seq_scan + coalesce(idx_scan, 0) from pg_stat_xact_user_tables where relname = 'orders'"
        )

    assert (found.orphans, len(found.sample), scans) == (9, 3, 1)


@pytest.mark.parametrize(
    ("way", "bounds"),
    [
        ("range (at)", ["from (0) to (4)", "from (4) to (9)"]),
        ("list (at)", ["in (1, 2, 3)", "in (4, 5, 6, 7)"]),
        ("hash (at)", ["with (modulus 2, remainder 0)", "with (modulus 2, remainder 1)"]),
    ],
)
async def test_partitioned_table_is_one(shop: Connection, empty_database: Database, way: str, bounds: list[str]) -> None:
    """Its partitions are not told apart, and none of them is listed."""
    await shop.execute(f"create table public.visits (user_id uuid, at int) partition by {way}")
    for number, values in enumerate(bounds):
        await shop.execute(f"create table public.visits_{number} partition of public.visits for values {values}")
    await shop.execute(f"insert into public.visits select md5(name)::uuid, row_number() over () from {KEYS}")

    (found,) = (await surveyed(empty_database.url)).examined

    assert (found.reference.referencing_table, by_reason(found)) == ("public.visits", ORPHANS)
    assert (found.rows, found.reference.is_partitioned) == (7, True)


async def test_composite_key_counts_its_pairs(shop: Connection, empty_database: Database) -> None:
    """The user's part says why; a pair of which only the user is right is mismatched."""
    await shop.execute(
        f"""
        create table public.bills (org int, payer uuid);
        insert into public.bills select 1, md5(name)::uuid from {KEYS};
        insert into public.bills values (2, md5('whole')::uuid), (3, md5('whole')::uuid), (null, md5('unknown')::uuid);
        alter table public.bills add constraint bills_payer_fkey
            foreign key (org, payer) references public.profiles (org, id) on delete set null not valid
        """
    )
    found = await examined(empty_database, "public.bills")

    assert by_reason(found) == ORPHANS | {"mismatched": (2, 2)}
    assert (found.reference.is_validated, found.reference.on_delete) == (False, "set null")


async def test_text_that_refers_to_a_uuid_is_read_as_one(shop: Connection, empty_database: Database) -> None:
    """No key can stand there, and what is no uuid is malformed."""
    await shop.execute(
        f"""
        create table public.leads as select upper(md5(name)::uuid::text) as user_id from {KEYS};
        insert into public.leads values ('legacy-17'), ('legacy-17'), ('')
        """
    )
    found = await examined(empty_database, "public.leads")

    assert by_reason(found) == ORPHANS | {"malformed": (3, 2)}
    assert found.mismatch == "text refers to uuid"


@pytest.mark.parametrize(
    ("index", "serves"),
    [
        ("create index found on public.bills (payer, org, note)", True),
        ("create unique index found on public.bills (org, payer) include (note)", True),
        ("create index found on public.bills (payer)", False),
        ("create index found on public.bills (note, org, payer)", False),
        ("create index found on public.bills (org, payer) where note is null", False),
        (f"create index found on public.bills (org, payer); {LEFT_BEHIND}", False),
    ],
)
async def test_index_serves_a_key_that_it_begins_with(
    shop: Connection, empty_database: Database, index: str, *, serves: bool
) -> None:
    """In any order; neither half of it, nor a partial index, nor one that was left behind invalid."""
    await shop.execute(
        f"""
        create table public.bills (org int, payer uuid, note text,
            constraint bills_payer_fkey foreign key (org, payer) references public.profiles (org, id));
        {index}
        """
    )

    assert (await examined(empty_database, "public.bills")).index_name == ("found" if serves else None)


async def test_profiles_may_refer_to_profiles(shop: Connection, empty_database: Database) -> None:
    """A self-reference whose trigger was off."""
    await shop.execute(
        """
        alter table public.profiles add column invited_by uuid;
        insert into public.profiles (id, invited_by) values (md5('erased')::uuid, md5('healable')::uuid);
        alter table public.profiles add foreign key (invited_by) references public.profiles (id) not valid
        """
    )
    assert by_reason(await examined(empty_database, "public.profiles")) == {"healable": (1, 1)}


async def test_names_may_need_quotes(empty_database: Database) -> None:
    """Upper case, spaces, quotes and dots, in tables and columns."""
    connection = await empty_database.connect()
    await connection.execute(
        """
        create schema "My Shop";
        create table "My Shop"."User" ("user.Id" int primary key, gone boolean);
        create table "My Shop"."User""s Profile" ("Id" int primary key);
        create table "My Shop"."Order Items" ("User Id" int references "My Shop"."User""s Profile" not null, "created" date);
        set session_replication_role = replica;
        insert into "My Shop"."User" values (1, false), (2, true), (3, false);
        insert into "My Shop"."User""s Profile" values (3);
        insert into "My Shop"."Order Items" values (1, now()), (2, now()), (3, now()), (4, now())
        """
    )
    named = Named('"My Shop"."User"."user.Id"', '"My Shop"."User""s Profile"', erased_when="users.gone")
    (found,) = (await surveyed(empty_database.url, named)).examined

    assert by_reason(found) == {"healable": (1, 1), "erased": (1, 1), "unknown": (1, 1)}
    assert (found.error_type, found.seen_column) == ("ORPHANED_ORDER_ITEM_DETECTED", "created")


async def test_columns_without_a_key_are_found_by_their_names(shop: Connection, empty_database: Database) -> None:
    """After the tables, whatever their type; after a role where they hold uuids, and no table has the role's name."""
    await shop.execute(
        """
        create table public.notes (id int, "profileId" bigint, sender_id uuid, customer_id uuid, owner_id bigint);
        create table public.customers (id uuid, user_id uuid references public.users)
        """
    )
    diagnosis = await surveyed(empty_database.url)

    assert [it.name for it in diagnosis.examined] == ["notes.profileId=profiles.id", "notes.sender_id=profiles.id"]


async def test_reference_that_is_named_is_looked_at(shop: Connection, empty_database: Database) -> None:
    """Also between tables that are none of users; named twice, or found anyhow, it is counted once."""
    await shop.execute(
        f"""
        create table public.orders as select gen_random_uuid() as id, md5(name)::uuid as user_id from {KEYS};
        create table public.lines as select gen_random_uuid() as order_id, md5('healable')::uuid as buyer
        """
    )
    wished = ["orders.user_id=profiles.id", "lines.buyer=public.profiles.id", "lines.order_id=orders.id"]
    diagnosis = await surveyed(empty_database.url, references=wished)

    assert {it.name: by_reason(it) for it in diagnosis.examined} == {
        "orders.user_id=profiles.id": ORPHANS,
        "lines.buyer=profiles.id": {"healable": (1, 1)},
        "lines.order_id=orders.id": {"unknown": (1, 1)},
    }


async def test_views_and_foreign_tables_are_left_out(shop: Connection, empty_database: Database) -> None:
    """No key can lead from them; named, they are refused."""
    await shop.execute(
        """
        create view public.orders_view as select id as user_id from public.users;
        create materialized view public.orders_kept as select id as user_id from public.users;
        create foreign data wrapper elsewhere;
        create server elsewhere foreign data wrapper elsewhere;
        create foreign table public.orders_elsewhere (user_id uuid) server elsewhere
        """
    )
    assert not (await surveyed(empty_database.url)).examined
    for table in ("orders_view", "orders_kept", "orders_elsewhere"):
        with pytest.raises(NameUnknownError, match=f"no column {table}"):
            await surveyed(empty_database.url, references=[f"{table}.user_id=profiles.id"])


async def test_empty_tables_are_whole(empty_database: Database) -> None:
    """All of nobody is a hundred percent, and no orphan is none."""
    connection = await empty_database.connect()
    await connection.execute(f"{PEOPLE}; truncate public.users, public.profiles; create table public.orders (user_id uuid)")
    diagnosis = await surveyed(empty_database.url)
    (standing,), (found,) = diagnosis.standings, diagnosis.examined
    assert standing.coverage is not None

    assert standing.coverage.percent == 100.0
    assert (found.rows, found.share, found.orphans, found.first_seen) == (0, 0.0, 0, None)


async def test_what_is_attached_is_surveyed(connection: Connection, database: Database) -> None:
    """Every key of the sample application, and not its audit table, which keeps keys of users who are gone on purpose."""
    await connection.execute(
        "insert into public.error_logs (error_type, severity, user_id, message) values ('X', 'info', 'x', '')"
    )
    diagnosis = await surveyed(database.url, None)

    assert [it.name for it in diagnosis.examined] == [
        "chat_messages.sender_id=profiles.id",
        "conversations.admin_id=profiles.id",
        "conversations.customer_id=profiles.id",
        "leads.user_id=profiles.id",
        "orders.user_id=profiles.id",
    ]


async def test_column_without_a_key_refers_to_one_table(connection: Connection, database: Database) -> None:
    """Users may have more than a profile: a column that could mean either is taken to mean what was attached first."""
    await connection.execute(
        """
        create table public.settings (id uuid primary key);
        select pgmend.attach_source('public.users', 'public.settings', '{}');
        alter table public.orders drop constraint fk_orders_user_id
        """
    )
    names = [it.name for it in (await surveyed(database.url, None)).examined]

    assert [name for name in names if name.startswith("orders")] == ["orders.user_id=profiles.id"]


async def test_large_table_is_believed_to_be_as_large_as_the_server_says(shop: Connection, empty_database: Database) -> None:
    """It would take a second reading to count it; the belief grows with the table, and is said to be one."""
    await shop.execute(
        f"""
        create table public.orders as select md5(name)::uuid as user_id from {KEYS};
        update pg_class set reltuples = 3000000, relpages = 3 where oid = 'public.orders'::regclass
        """
    )
    found = await examined(empty_database, "public.orders")

    assert (found.rows, found.rows_are_estimated, found.orphans) == (1_000_000, True, 5)


async def test_nothing_attached_and_nobody_named_is_refused(empty_database: Database) -> None:
    """With a hint at both ways."""
    with pytest.raises(PeopleUnknownError, match="--users"):
        await surveyed(empty_database.url, None)


@pytest.mark.parametrize("typed", ["no_such_table", "users.no_such_column", 'public."Users"', "a.b.c.d", '"', "", "keyless"])
async def test_name_that_leads_nowhere_is_refused(shop: Connection, empty_database: Database, typed: str) -> None:
    """A table, a column, or no name at all."""
    await shop.execute("create table public.keyless (id int)")
    with pytest.raises(NameUnknownError) as refused:
        await surveyed(empty_database.url, Named(typed, "public.profiles"))

    assert refused.value.hint


async def test_condition_that_the_server_refuses_is_named(shop: Connection, empty_database: Database) -> None:
    """Before anything is counted."""
    assert not shop.is_closed()
    with pytest.raises(ConditionRefusedError, match="no_such_column"):
        await surveyed(empty_database.url, Named("users", "profiles", erased_when="users.no_such_column"))
