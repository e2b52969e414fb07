"""The story in one file for an SQL editor: run as often as one likes, it ends with valid keys, and loses no row."""

import re
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress

import asyncpg
import pytest

from tests.support.database import DEMO, Database, count
from worker.store.connection import Connection
from worker.store.statements import sql_directory

FILE = (sql_directory() / "operations" / "safe_foreign_keys.sql").read_text(encoding="utf-8")
TABLES = ("orders", "leads", "conversations", "chat_messages")
WITHOUT_KEYS = """
    alter table public.orders drop constraint fk_orders_user_id;
    alter table public.leads drop constraint leads_user_id_fkey;
    alter table public.conversations
        drop constraint conversations_customer_id_fkey, drop constraint conversations_admin_id_fkey;
    alter table public.chat_messages drop constraint chat_messages_sender_id_fkey
"""
MESSAGE = "insert into public.chat_messages (conversation_id, sender_id, content) values ($1, $2, 'hello, \"you\"')"


async def in_one_transaction(connection: Connection) -> None:
    """Run the file as an editor does that sends it whole."""
    await connection.execute(FILE)


async def statement_by_statement(connection: Connection) -> None:
    """Run the file as an editor does that sends each statement by itself."""
    for statement in _statements():
        await connection.execute(statement)


def _statements() -> list[str]:
    """Split the file at semicolons that end a line outside of function bodies."""
    parts = re.split(r"(\$function\$.*?\$function\$)", re.sub(r"^--.*$", "", FILE, flags=re.MULTILINE), flags=re.DOTALL)
    marked = "".join(part if number % 2 else re.sub(r";$", "\0", part, flags=re.MULTILINE) for number, part in enumerate(parts))
    return [statement for statement in marked.split("\0") if statement.strip()]


Run = Callable[[Connection], Awaitable[None]]
RUNS = (in_one_transaction, statement_by_statement)


@pytest.fixture
async def shop(empty_database: Database) -> Connection:
    """The sample tables without keys, with every kind of orphan; nothing of pgmend is installed."""
    connection = await empty_database.connect()
    await connection.execute((DEMO / "0001_tables.sql").read_text(encoding="utf-8"))
    await connection.execute(WITHOUT_KEYS)
    users = {name: await _user(connection, name) for name in ("whole", "admin", "healable", "erased")}
    await connection.execute("update public.users set deleted_at = now() where id = $1", users["erased"])
    await connection.execute(
        "insert into public.profiles (id, name) select unnest($1::uuid[]), 'p'", [users["whole"], users["admin"]]
    )
    keys = [users["whole"], users["healable"], users["erased"], uuid.uuid4()]
    await connection.execute("insert into public.orders (user_id, amount) select unnest($1::uuid[]), 1.50", keys)
    await connection.execute("insert into public.leads (user_id, source) select unnest($1::uuid[]), 'web'", keys)
    for customer, admin in [(key, users["admin"]) for key in keys] + [
        (users["whole"], uuid.uuid4()),
        (uuid.uuid4(), uuid.uuid4()),
    ]:
        await _conversation(connection, customer, admin)
    await connection.execute(MESSAGE, None, users["whole"])
    await connection.execute(MESSAGE, None, uuid.uuid4())
    return connection


async def _user(connection: Connection, name: str) -> uuid.UUID:
    found: uuid.UUID = await connection.fetchval("insert into public.users (email) values ($1) returning id", f"{name}@x")
    return found


async def _conversation(connection: Connection, customer: uuid.UUID, admin: uuid.UUID) -> None:
    insert = "insert into public.conversations (customer_id, admin_id) values ($1, $2) returning id"
    conversation = await connection.fetchval(insert, customer, admin)
    for sender in (customer, admin):
        await connection.execute(MESSAGE, conversation, sender)


async def rows(connection: Connection) -> dict[str, set[str]]:
    """Return every row of the tables, as the database spells it."""
    return {table: {row[0] for row in await connection.fetch(f"select it::text from public.{table} as it")} for table in TABLES}


async def kept(connection: Connection) -> dict[str, set[str]]:
    """Return every row in the quarantine."""
    found = await connection.fetch("select table_name, row_text from quarantine.orphans")
    return {table: {row["row_text"] for row in found if row["table_name"] == table} for table in TABLES}


@pytest.mark.parametrize("run", RUNS)
async def test_tables_and_quarantine_hold_every_row_there_was(shop: Connection, run: Run) -> None:
    """Nothing is lost and nothing is twice: each row is in its table or in the quarantine, letter by letter."""
    before = await rows(shop)
    await run(shop)
    after, moved = await rows(shop), await kept(shop)

    assert {table: after[table] | moved[table] for table in TABLES} == before
    assert {table: after[table] & moved[table] for table in TABLES} == {table: set() for table in TABLES}
    assert {table: len(moved[table]) for table in TABLES} == {"orders": 2, "leads": 2, "conversations": 4, "chat_messages": 9}


@pytest.mark.parametrize("run", RUNS)
async def test_second_run_changes_nothing(shop: Connection, run: Run) -> None:
    """Not a row, not a key, not an index, and above all no second audit entry."""
    await run(shop)
    state = "select (select count(*) from pg_constraint), (select count(*) from pg_index), (select count(*) from error_logs)"
    first = (await rows(shop), await kept(shop), await shop.fetchrow(state))
    await run(shop)

    assert (await rows(shop), await kept(shop), await shop.fetchrow(state)) == first


@pytest.mark.parametrize("run", RUNS)
async def test_all_keys_stand_valid_with_an_index(shop: Connection, run: Run) -> None:
    """Under the names of the sample, with on delete cascade."""
    await run(shop)
    keys = await shop.fetch(
        "select conname, convalidated, confdeltype::text from pg_constraint where contype = 'f' and conname <> 'profiles_id_fkey'"
    )

    assert {key["conname"] for key in keys} == {
        *("fk_orders_user_id", "leads_user_id_fkey", "conversations_customer_id_fkey", "conversations_admin_id_fkey"),
        *("chat_messages_sender_id_fkey", "chat_messages_conversation_id_fkey"),
    }
    assert {(key["convalidated"], key["confdeltype"]) for key in keys} == {(True, "c")}
    assert await count(shop, "pg_class where relname in ('orders_by_user', 'leads_by_user', 'conversations_by_admin')") == 3


async def test_each_moved_row_has_one_audit_entry_of_its_kind(shop: Connection) -> None:
    """With its place in the quarantine, the reason, and the user where the key is one's."""
    await in_one_transaction(shop)
    entries = await shop.fetch("select error_type, count(*) from public.error_logs group by error_type order by error_type")
    matched = await count(
        shop,
        "public.error_logs as entry join quarantine.orphans as orphan on (entry.details ->> 'quarantine_id')::bigint = orphan.id",
    )

    assert [tuple(entry) for entry in entries] == [
        ("MISSING_PROFILE_CREATED", 1),
        ("ORPHANED_CHAT_MESSAGE_DETECTED", 9),
        ("ORPHANED_CONVERSATION_DETECTED", 4),
        ("ORPHANED_LEAD_DETECTED", 2),
        ("ORPHANED_ORDER_DETECTED", 2),
    ]
    assert matched == 17


async def test_user_who_is_there_keeps_every_row_and_gets_the_profile(shop: Connection) -> None:
    """An order of a living customer is no orphan: only the erased and the unknown are moved."""
    await in_one_transaction(shop)
    reasons = await shop.fetch("select reason, count(*) from quarantine.orphans where table_name = 'orders' group by reason")

    assert dict(map(tuple, reasons)) == {"erased": 1, "unknown": 1}
    assert await count(shop, "public.orders join public.users on users.id = user_id where email = 'healable@x'") == 1
    assert await count(shop, "public.profiles where name = 'healable'") == 1


OTHERS = {
    "there is no public.leads.user_id": "alter table public.leads rename to prospects",
    "there is no public.users.full_name": "alter table public.users rename full_name to display",
    "there is no public.error_logs.severity": "create table public.error_logs (id int, error_type text, user_id text)",
    "public.orders.user_id is text, public.profiles.id is uuid": "alter table public.orders alter user_id type text",
}


@pytest.mark.parametrize("said", OTHERS)
async def test_other_tables_are_refused_before_anything_is_made(shop: Connection, said: str) -> None:
    """By one error that names what does not fit; who goes on after it, as psql does, leaves no table, function or row behind."""
    await shop.execute(OTHERS[said])
    tables = "pg_class where relkind = 'r'"
    made = f"select (select count(*) from pg_proc), (select count(*) from {tables}), (select count(*) from public.profiles)"
    before = await shop.fetchrow(made)
    first, *others = _statements()
    with pytest.raises(asyncpg.RaiseError, match=said):
        await shop.execute(first)
    for statement in others:
        with suppress(asyncpg.PostgresError):
            await shop.execute(statement)

    assert await shop.fetchrow(made) == before


async def test_key_that_stands_under_another_name_is_validated_and_no_second_one_made(shop: Connection) -> None:
    """Two that say the same would make the relation ambiguous."""
    await shop.execute(
        "alter table public.orders add constraint fk_of_old foreign key (user_id) references public.profiles not valid"
    )
    await in_one_transaction(shop)

    keys = await shop.fetch(
        "select conname, convalidated from pg_constraint where conrelid = 'public.orders'::regclass and contype = 'f'"
    )
    assert [tuple(key) for key in keys] == [("fk_of_old", True)]


async def test_rows_that_would_be_deleted_with_an_order_stop_it_before_anything_is_moved(shop: Connection) -> None:
    """What the file does not know of is never deleted by a cascade."""
    await shop.execute("create table public.items (order_id uuid references public.orders on delete cascade)")
    before = await rows(shop)
    with pytest.raises(Exception, match=r"other rows refer to public\.orders: public\.items"):
        await in_one_transaction(shop)

    assert await rows(shop) == before


async def test_rows_come_back_as_they_were(shop: Connection) -> None:
    """By the statements at the end of the file, once the profiles are there: tables as before, and nothing in quarantine."""
    before = await rows(shop)
    await in_one_transaction(shop)
    await shop.execute(
        """
        set session_replication_role = replica;
        insert into public.profiles (id, name)
        select distinct key::uuid, 'again' from quarantine.orphans
        cross join lateral (values (row_image ->> 'user_id'), (row_image ->> 'customer_id'), (row_image ->> 'admin_id'),
            (row_image ->> 'sender_id')) as referred (key)
        where key is not null
        on conflict do nothing;
        set session_replication_role = origin
        """
    )
    for statement in _restoring():
        await shop.execute(statement)

    assert await rows(shop) == before
    assert await count(shop, "quarantine.orphans") == 0


def _restoring() -> list[str]:
    """Return the statements of the last comment, for whatever user."""
    comment = FILE.partition("-- To bring rows back")[2]
    text = "\n".join(line.removeprefix("--") for line in comment.splitlines()[3:])
    statements = [part for part in text.replace("user_key = '…'", "true").split(";") if part.strip()]
    assert len(statements) == len(TABLES)
    return statements
