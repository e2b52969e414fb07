"""What one client does for one customer, over an ordinary connection, and what it was told."""

import asyncio
import json
import uuid
from dataclasses import dataclass

import asyncpg

from demo.ledger import Deed, Intent, Ledger
from demo.plan import Act, Customer, Erasure
from worker.store.connection import Connection

SIGN_UP = "insert into public.users (id, email, full_name, profile_picture_url) values ($1, $2, $3, $4)"
OWN_PROFILE = "insert into public.profiles (id, name) values ($1, $2)"
CONVERSATION = "select public.get_or_create_admin_conversation($1) ->> 'id'"
INSERT_OR_PARK = "select pgmend.insert_or_park($1::text::regclass, $2::jsonb) ->> 'event_id'"
MESSAGE = "insert into public.chat_messages (id, sender_id, content) values (coalesce($1, gen_random_uuid()), $2, $3)"
REPORT = "select pgmend.report_failed_insert('public.chat_messages', $1::jsonb, 'chat_messages_sender_id_fkey')"
ERASE_HARD = "delete from public.users where id = $1"
ERASE_SOFT = "update public.users set deleted_at = now() where id = $1"
ERASE_PROFILE = "delete from public.profiles where id = $1"

_PERSISTENT_TRIES = 8
_PAUSE_SECONDS = 0.01
_DEEDS: dict[str, Deed] = {"two_callers": "conversation"}


@dataclass(frozen=True, slots=True)
class Client:
    """One connection, the customer it works for, and the ledger."""

    connection: Connection
    customer: Customer
    ledger: Ledger

    def intend(self, act: Deed, moment: str) -> Intent:
        """Return a new intent, which has raised until it is answered."""
        return Intent(self.ledger.next_number(), act, moment, self.customer.key, "raised")


async def perform(client: Client, act: Act) -> None:
    """Do one thing, and write down the answer, whatever it was."""
    intent = client.intend(_DEEDS.get(act.kind) or act.kind, act.moment)  # type: ignore[arg-type]
    try:
        intent = await _call(client, act, intent)
    except asyncpg.PostgresError as error:
        intent = intent.answered("raised", sqlstate=error.sqlstate)
    client.ledger.note(intent)


async def sign_up(client: Client) -> None:
    """Insert the user, in whatever transaction is open."""
    person = client.customer
    await client.connection.execute(SIGN_UP, person.key, person.email, person.full_name, person.picture)


async def erase(client: Client, erasure: Erasure) -> None:
    """Erase the customer; a deadlock is tried again, as any application would."""
    intent = client.intend("erasure", "at_once" if not client.customer.erased_after else "later")
    while True:
        try:
            await _erase(client, erasure)
        except asyncpg.DeadlockDetectedError:
            continue
        client.ledger.note(intent.answered("stored"))
        return


async def _call(client: Client, act: Act, intent: Intent) -> Intent:
    match act.kind:
        case "conversation" | "two_callers":
            return await _converse(client, intent)
        case "order":
            return await _insert_or_park(client, act, intent, "public.orders", amount=str(intent.intent_id / 100))
        case "lead":
            return await _insert_or_park(client, act, intent, "public.leads", source=f"storm {intent.intent_id}")
        case "message":
            return await _send_message(client, act, intent)
        case "own_profile":
            return await _make_own_profile(client, act, intent)


async def _converse(client: Client, intent: Intent) -> Intent:
    conversation = await client.connection.fetchval(CONVERSATION, client.customer.key)
    if conversation is None:
        return intent.answered("parked")
    return intent.answered("stored", row_id=uuid.UUID(conversation))


async def _insert_or_park(client: Client, act: Act, intent: Intent, table: str, **columns: str) -> Intent:
    row = json.dumps({"user_id": str(client.customer.key), **_chosen(act), **columns})
    receipt = await client.connection.fetchval(INSERT_OR_PARK, table, row)
    return intent.answered("stored" if receipt is None else "parked", receipt=receipt and int(receipt))


async def _send_message(client: Client, act: Act, intent: Intent) -> Intent:
    """Insert plainly; where that fails on the missing profile, report it in a new transaction."""
    text = f"message {intent.intent_id}"
    try:
        await client.connection.execute(MESSAGE, act.chosen_key, client.customer.key, text)
    except asyncpg.ForeignKeyViolationError:
        row = {"sender_id": str(client.customer.key), "content": text, **_chosen(act)}
        receipt = await client.connection.fetchval(REPORT, json.dumps(row))
        if act.persistent:
            await _go_on_trying(client, act, text)
        return intent.answered("parked", receipt=receipt)
    return intent.answered("stored")


async def _go_on_trying(client: Client, act: Act, text: str) -> None:
    """Insert the same row again and again beside the worker, until one of the two has stored it."""
    for _ in range(_PERSISTENT_TRIES):
        try:
            await client.connection.execute(MESSAGE, act.chosen_key, client.customer.key, text)
        except asyncpg.ForeignKeyViolationError:
            await asyncio.sleep(_PAUSE_SECONDS)
        except asyncpg.UniqueViolationError:
            return
        else:
            return


async def _make_own_profile(client: Client, act: Act, intent: Intent) -> Intent:
    """Insert the profile as applications do; that the worker was faster is success."""
    try:
        async with client.connection.transaction():
            await client.connection.execute(OWN_PROFILE, client.customer.key, "made by the application")
            await asyncio.sleep(act.hold)
    except asyncpg.UniqueViolationError:
        return intent.answered("collided")
    return intent.answered("stored")


async def _erase(client: Client, erasure: Erasure) -> None:
    if erasure == "hard":
        await client.connection.execute(ERASE_HARD, client.customer.key)
        return
    async with client.connection.transaction():
        await client.connection.execute(ERASE_SOFT, client.customer.key)
        await client.connection.execute(ERASE_PROFILE, client.customer.key)


def _chosen(act: Act) -> dict[str, str]:
    return {} if act.chosen_key is None else {"id": str(act.chosen_key)}
