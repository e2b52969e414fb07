"""get_or_create_admin_conversation, the sample application's call over RPC."""

import asyncio
import json
import uuid

from tests.support.database import Database, count, sign_up
from worker import pipeline
from worker.pipeline import Path
from worker.store.connection import Connection

CALL = "select public.get_or_create_admin_conversation($1)"


async def make_admin(connection: Connection) -> str:
    """Sign an admin up, profile included, and return the key."""
    key = await sign_up(connection, "admin@x")
    await connection.execute("insert into public.profiles (id, name, is_admin) values ($1, 'Admin', true)", key)
    return key


async def test_call_makes_profile_conversation_and_welcome(connection: Connection) -> None:
    """A customer without profile gets all three, and the admin's profile with the answer."""
    admin = await make_admin(connection)
    customer = await sign_up(connection, "ada@example.org")

    answer = json.loads(await connection.fetchval(CALL, customer))

    assert (answer["customer_id"], answer["admin"]["id"]) == (customer, admin)
    assert answer["last_message"] == await connection.fetchval("select content from public.chat_messages where kind = 'welcome'")
    profile = await connection.fetchrow(
        "select name, avatar_url, is_admin, is_online from public.profiles where id = $1", customer
    )
    assert tuple(profile or ()) == ("ada", "", False, False)


async def test_name_is_full_name_else_mailbox_else_user(connection: Connection) -> None:
    """The profile is called as the documents say."""
    await make_admin(connection)
    keys = [
        await sign_up(connection, "a@x", "Ada L"),
        await sign_up(connection, "ada@x"),
        await sign_up(connection, None),
    ]
    for key in keys:
        await connection.fetchval(CALL, key)

    rows = await connection.fetch("select name from public.profiles where id = any ($1::uuid[]) order by name", keys)
    assert [row[0] for row in rows] == ["Ada L", "User", "ada"]


async def test_two_callers_at_once_get_one_conversation_and_one_welcome(database: Database, connection: Connection) -> None:
    """Eight calls in the same instant agree."""
    await make_admin(connection)
    customer = await sign_up(connection)
    callers = [await database.connect() for _ in range(8)]

    answers = await asyncio.gather(*(caller.fetchval(CALL, customer) for caller in callers))

    assert len({json.loads(answer)["id"] for answer in answers}) == 1
    assert await count(connection, "public.chat_messages where kind = 'welcome'") == 1


async def test_profile_that_appears_meanwhile_is_success(database: Database, connection: Connection) -> None:
    """While another session holds the same profile uncommitted, the call waits, and then opens the conversation."""
    await make_admin(connection)
    customer = await sign_up(connection)
    other = await database.connect()
    transaction = other.transaction()
    await transaction.start()
    await other.execute("insert into public.profiles (id, name) values ($1, 'Ada')", customer)
    calling = asyncio.ensure_future(connection.fetchval(CALL, customer))
    await asyncio.wait({calling}, timeout=0.1)
    await transaction.commit()

    assert await calling is not None
    assert await count(connection, "public.conversations where customer_id = $1", uuid.UUID(customer)) == 1


async def test_profile_that_cannot_be_made_returns_null_and_leaves_an_event(connection: Connection, path: Path) -> None:
    """Nothing raises, no conversation is tried, and the worker explains why in a dead letter."""
    await make_admin(connection)
    customer = await sign_up(connection, "a@x", "x" * 121)

    assert await connection.fetchval(CALL, customer) is None
    assert await count(connection, "public.conversations") == 0
    await pipeline.turn(path)
    assert await count(connection, "pgmend.dead_letters where kind = 'insert_failed' and verdict is not null") == 1


async def test_customer_whose_sign_up_is_not_committed_yet_is_served_later(
    database: Database, connection: Connection, path: Path
) -> None:
    """The call comes before the sign-up has committed: null now, the whole conversation later, one welcome."""
    await make_admin(connection)
    customer = str(uuid.uuid4())
    signing_up = await database.connect()
    transaction = signing_up.transaction()
    await transaction.start()
    await signing_up.execute("insert into public.users (id, email) values ($1, 'late@x')", customer)

    assert await connection.fetchval(CALL, customer) is None
    await pipeline.turn(path)
    await transaction.commit()
    await connection.execute("update pgmend.careful_events set available_at = now()")
    await pipeline.turn(path)

    assert await count(connection, "public.conversations where customer_id = $1", uuid.UUID(customer)) == 1
    assert await count(connection, "public.chat_messages where kind = 'welcome'") == 1
