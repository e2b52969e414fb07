"""The statements of the live application, by table: the first parameter is the row's key."""

import random
import uuid

Written = tuple[uuid.UUID | str | None, ...]

TABLES = ("orders", "leads", "conversations", "chat_messages")

INSERTS = {
    "orders": "insert into public.orders (id, user_id, amount) values ($1, $2, $3::text::numeric)",
    "leads": "insert into public.leads (id, user_id, source) values ($1, $2::uuid, $3)",
    "conversations": "insert into public.conversations (id, customer_id, last_message, admin_id) values ($1, $2, $3, $4)",
    "chat_messages": "insert into public.chat_messages (id, sender_id, content, conversation_id) values ($1, $2, $3, $4)",
}
"""The key of a lead is given as a uuid, which goes into a column of text as well: the column's type changes on the way."""

CHANGES = {
    "orders": "update public.orders set amount = $2::text::numeric where id = $1",
    "leads": "update public.leads set source = $2 where id = $1",
    "conversations": "update public.conversations set last_message = $2 where id = $1",
    "chat_messages": "update public.chat_messages set content = $2 where id = $1",
}

REMOVALS = {
    "orders": "delete from public.orders where id = $1",
    "leads": "delete from public.leads where id = $1",
    "chat_messages": "delete from public.chat_messages where id = $1",
}


def new_value(rng: random.Random, table: str) -> str:
    """Return a value for the one column of a row that the application writes: an amount, or words."""
    number = rng.randrange(1, 10_000)
    return f"{number / 100:.2f}" if table == "orders" else f"written {number}"
