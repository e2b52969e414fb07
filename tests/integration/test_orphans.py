"""Orphans: each is found once, with the reason why its key leads nowhere."""

import uuid

import pytest

from tests.support.database import Database, count, sign_up
from worker.core.reference import People, Reference
from worker.store import orphans, references
from worker.store.connection import Connection

PEOPLE = People("users", "id", "profiles", "id", erased_when="users.deleted_at is not null", is_audited=True)
LOOSE = """
    set session_replication_role = replica;
    alter table public.orders drop constraint fk_orders_user_id;
    create table public.legacy (user_id text)
"""


async def reasons(connection: Connection, reference: Reference | None, people: People | None = PEOPLE) -> dict[str, str]:
    """Return the reason of each orphan, by its key."""
    assert reference is not None
    query = await orphans.selection(connection, reference, [people] if people else [])
    return {row["key"]: row["reason"] for row in await connection.fetch(query)}


async def to_profiles(connection: Connection, table: str) -> Reference | None:
    """Return the reference of a table's user_id to the profiles."""
    return await references.named(connection, (table, "user_id"), ("public.profiles", "id"))


@pytest.fixture
async def keys(connection: Connection) -> dict[str, str]:
    """A key for each reason, and one that is whole; nothing announces them, and nothing holds the tables together."""
    await connection.execute(LOOSE)
    made = {name: await sign_up(connection, f"{name}@x") for name in ("healable", "erased", "whole", "gone")}
    await connection.execute("update public.users set deleted_at = now() where id = $1", made["erased"])
    await connection.execute("insert into public.profiles (id, name) values ($1, 'whole')", made["whole"])
    await connection.execute("delete from public.users where id = $1", made["gone"])
    await connection.execute(
        "insert into public.error_logs (error_type, severity, user_id, message) "
        "values ('MISSING_PROFILE_CREATED', 'info', $1, 'was there')",
        made["gone"],
    )
    return made | {"unknown": str(uuid.uuid4())}


async def test_each_orphan_has_its_reason(connection: Connection, keys: dict[str, str]) -> None:
    """Who is whole is none; of the others it is said what became of the user."""
    await connection.execute("insert into public.orders (user_id, amount) select unnest($1::uuid[]), 1", list(keys.values()))

    found = await reasons(connection, await to_profiles(connection, "public.orders"))

    assert found == {key: reason for reason, key in keys.items() if reason != "whole"}


async def test_audit_of_an_insert_proves_nobody(connection: Connection, keys: dict[str, str]) -> None:
    """That somebody wrote a key, or that we found it, does not say that it was ever a user's; an event of a sign-up does."""
    entries = [("EVENT_DEAD_LETTERED", '{"kind": "insert_failed"}'), ("ORPHANED_ORDER_DETECTED", "{}")]
    insert = "insert into public.error_logs (error_type, severity, user_id, message, details) values ($1, 'info', $3, '', $2)"
    await connection.executemany(insert, [(*entry, keys["unknown"]) for entry in entries])
    signed_up = str(uuid.uuid4())
    await connection.execute(insert, "EVENT_DEAD_LETTERED", '{"kind": "user_created"}', signed_up)
    await connection.execute("insert into public.orders (user_id, amount) values ($1, 1), ($2, 1)", keys["unknown"], signed_up)

    found = await reasons(connection, await to_profiles(connection, "public.orders"))

    assert found == {keys["unknown"]: "unknown", signed_up: "gone"}


async def test_text_is_read_as_what_it_refers_to(connection: Connection, keys: dict[str, str]) -> None:
    """However a uuid is spelled it finds its profile; what is no uuid is malformed, and null refers to nothing."""
    whole = keys["whole"]
    quartets = "-".join(whole.replace("-", "")[place : place + 4] for place in range(0, 32, 4))
    spelled = [whole, whole.upper(), whole.replace("-", ""), quartets, f"{{{whole}}}", f" {whole} ", f"\t{whole}\r\n"]
    wrong = [f"{{{keys['healable'].upper()}}}", "legacy-17", "", f"{{{whole}", f"{whole}-"]
    await connection.execute("insert into public.legacy select unnest($1::text[]) union all select null", spelled + wrong)

    found = await reasons(connection, await to_profiles(connection, "public.legacy"))

    assert found == {wrong[0]: "healable"} | dict.fromkeys(wrong[1:], "malformed")


async def test_text_is_read_as_an_integer_of_any_size(connection: Connection) -> None:
    """A snowflake of nineteen digits finds its row; what no bigint holds is malformed, and ends no look."""
    await connection.execute("create table public.accounts (id bigint primary key); create table public.notes (account text)")
    largest, smallest = 2**63 - 1, -(2**63)
    await connection.executemany("insert into public.accounts values ($1)", [(largest,), (smallest,), (7,)])
    spelled = [str(largest), str(smallest), "7", "+07", " 7\t"]
    wrong = [str(largest + 1), "8" * 41, "seven", ""]
    await connection.execute("insert into public.notes select unnest($1::text[])", [*spelled, *wrong, "8"])
    reference = await references.named(connection, ("public.notes", "account"), ("public.accounts", "id"))

    assert await reasons(connection, reference) == {"8": "unknown"} | dict.fromkeys(wrong, "malformed")


async def test_reference_that_is_none_to_users_tells_nothing_of_them(connection: Connection, keys: dict[str, str]) -> None:
    """A line of an order that is not there is unknown, whoever placed it."""
    assert keys
    await connection.execute("create table public.lines (order_id uuid); insert into public.lines values (gen_random_uuid())")
    reference = await references.named(connection, ("public.lines", "order_id"), ("public.orders", "id"))

    assert set((await reasons(connection, reference)).values()) == {"unknown"}


async def test_composite_key_with_a_null_refers_to_nothing(connection: Connection, keys: dict[str, str]) -> None:
    """As the database has it (MATCH SIMPLE); a whole key that leads nowhere is an orphan by the user it names."""
    await connection.execute(
        """
        alter table public.profiles add column org int default 1, add unique (org, id);
        create table public.bills (org int, payer uuid);
        alter table public.bills add constraint bills_payer_fkey
            foreign key (org, payer) references public.profiles (org, id) not valid
        """
    )
    rows = [(None, keys["unknown"]), (1, keys["whole"]), (1, keys["healable"]), (2, keys["whole"])]
    await connection.executemany("insert into public.bills values ($1, $2)", rows)
    (reference,) = [key for key in await references.declared(connection, "public.profiles") if key.referencing_table == "bills"]

    assert await reasons(connection, reference) == {keys["healable"]: "healable", keys["whole"]: "mismatched"}


async def test_place_of_an_orphan_leads_to_its_row(database: Database, connection: Connection, keys: dict[str, str]) -> None:
    """Also in a partition: table and place name the very row."""
    await connection.execute(
        """
        create table public.visits (user_id uuid, place text) partition by list (place);
        create table public.visits_here partition of public.visits for values in ('here');
        create table public.visits_there partition of public.visits for values in ('there')
        """
    )
    await connection.execute("insert into public.visits values ($1, 'here'), ($1, 'there')", keys["unknown"])
    reference = await to_profiles(await database.connect(), "public.visits")
    assert reference is not None
    query = await orphans.selection(connection, reference, [PEOPLE])

    assert await count(connection, f"({query}) as orphan join public.visits on tableoid = table_oid and ctid = row_ctid") == 2
