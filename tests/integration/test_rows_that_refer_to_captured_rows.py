"""Rows that refer to a captured row: they wait for it, and follow in order."""

import json
import uuid

import asyncpg
import pytest

from tests.support.database import count, sign_up
from tests.support.outbox import dead_letters, due_now, released
from worker import pipeline
from worker.pipeline import Path
from worker.store.connection import Connection

LINES = """
    create table public.lines (
        number int generated always as identity, order_id uuid not null, line_id int, of_line int, thing text,
        constraint lines_order_id_fkey foreign key (order_id) references public.orders (id),
        constraint lines_line_id_key unique (line_id),
        constraint lines_of_line_fkey foreign key (of_line) references public.lines (line_id)
    )
"""


@pytest.fixture
async def shop(connection: Connection) -> Connection:
    """The application's connection, with order lines that no guard knows of."""
    await connection.execute(LINES)
    return connection


async def insert(connection: Connection, table: str, **row: object) -> str:
    """Insert or park; return the status."""
    answer = await connection.fetchval("select pgmend.insert_or_park($1::text::regclass, $2)", table, json.dumps(row))
    return str(json.loads(answer)["status"])


async def place_order(connection: Connection, user: str) -> str:
    """Capture an order with a key of the writer's choosing; return the key."""
    order = str(uuid.uuid4())
    assert await insert(connection, "public.orders", id=order, user_id=user, amount=1) == "parked"
    return order


async def turns(path: Path, most: int = 5) -> None:
    """Take turns until there is nothing more to do now."""
    for _ in range(most):
        if not (await pipeline.turn(path)).more:
            return


async def test_rows_follow_the_row_they_refer_to_in_their_order(shop: Connection, path: Path) -> None:
    """A whole order is captured, lines of lines included, and stands after the worker was there as it was written."""
    order = await place_order(shop, await sign_up(shop))
    for number, of_line in ((1, None), (2, 1), (3, 2)):
        assert await insert(shop, "public.lines", order_id=order, line_id=number, of_line=of_line) == "parked"

    await turns(path)

    assert await dead_letters(shop) == []
    assert await shop.fetchval("select array_agg(line_id order by number) from public.lines") == [1, 2, 3]
    assert await count(shop, "pgmend.outbox") == 0


async def test_row_that_refers_to_nothing_captured_keeps_its_honest_error(shop: Connection) -> None:
    """Only a key that leads to a captured row is waited for."""
    await place_order(shop, await sign_up(shop))

    with pytest.raises(asyncpg.ForeignKeyViolationError, match="lines_order_id_fkey"):
        await insert(shop, "public.lines", order_id=str(uuid.uuid4()), line_id=1)


async def test_row_waits_while_what_it_refers_to_is_a_dead_letter(shop: Connection, path: Path) -> None:
    """It is no dead letter itself; sent back, the one it refers to brings it along."""
    user = await sign_up(shop, name="x" * 121)
    order = await place_order(shop, user)
    await insert(shop, "public.lines", order_id=order, line_id=1)
    await turns(path)
    waits = await released(shop)
    await shop.execute("update public.users set full_name = 'Ada' where id = $1", user)

    await shop.execute("select pgmend.requeue(array_agg(event_id)) from pgmend.dead_letters")
    await turns(path)

    assert waits == [("PM005", None)]
    assert await count(shop, "public.lines join public.orders on order_id = id") == 1


async def test_row_whose_reference_was_discarded_is_a_dead_letter_that_says_so(shop: Connection, path: Path) -> None:
    """What can never stand is put in front of a person, once what it referred to was let go."""
    order = await place_order(shop, await sign_up(shop, name="x" * 121))
    await insert(shop, "public.lines", order_id=order, line_id=1)
    await turns(path)
    await shop.execute("select pgmend.discard(array_agg(event_id)) from pgmend.dead_letters where kind = 'insert_failed'")
    await shop.execute("update public.users set full_name = 'Ada'")

    for _ in range(2):
        await due_now(shop)
        await pipeline.turn(path)

    letter = await shop.fetchrow("select verdict, sqlstate, hint from pgmend.dead_letters where kind = 'insert_failed'")
    assert letter is not None
    assert (letter["verdict"], letter["sqlstate"]) == ("refused", "23503")
    assert "refers to another row" in letter["hint"]


async def test_rows_of_an_erased_user_go_with_what_they_refer_to(shop: Connection, path: Path) -> None:
    """An erasure drops the order and the line that was to follow it."""
    user = await sign_up(shop)
    order = await place_order(shop, user)
    await insert(shop, "public.lines", order_id=order, line_id=1)
    await shop.execute("delete from public.users where id = $1", user)

    await turns(path)

    assert await count(shop, "pgmend.outbox") + await count(shop, "pgmend.dead_letters") == 0
    assert await count(shop, "public.error_logs where error_type = 'ERASED_USER_EVENT_DROPPED'") == 3


async def test_row_that_meets_a_captured_row_only_when_it_is_replayed_waits_as_well(shop: Connection, path: Path) -> None:
    """A message captured for its sender finds at its replay that its conversation is captured, too."""
    poisoned, sender = await sign_up(shop, "a@x", "x" * 121), await sign_up(shop, "b@x")
    conversation = str(uuid.uuid4())
    row = {"id": conversation, "customer_id": poisoned, "admin_id": poisoned}
    await shop.execute("select pgmend.guard('public.conversations', 'conversations_customer_id_fkey')")
    await insert(shop, "public.conversations", **row)
    receipt = await shop.fetchval(
        "select pgmend.report_failed_insert('public.chat_messages', $1, 'chat_messages_sender_id_fkey')",
        json.dumps({"sender_id": sender, "conversation_id": conversation, "content": "hi"}),
    )

    await turns(path)

    waits = await shop.fetchrow(
        "select waits_for_event is not null, last_failure ->> 'sqlstate' from pgmend.outbox where event_id = $1", receipt
    )
    assert waits is not None
    assert tuple(waits) == (True, "PM005")
