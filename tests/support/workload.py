"""A workload that meets every fate an event can have, and the promises that must hold once it is settled."""

import json

from tests.support.database import count, sign_up
from tests.support.waiting import eventually
from worker.store.connection import Connection

TOO_LONG = "x" * 121
"""A full name that the profiles table refuses."""

PROMISES = {
    "every event is settled": "pgmend.outbox",
    "every eligible user has a profile": """
        public.users as u
        where u.deleted_at is null and char_length(coalesce(u.full_name, '')) <= 120
            and not exists (select from public.profiles as p where p.id = u.id)
    """,
    "no erased user has a profile": """
        public.profiles as p join public.users as u using (id) where u.deleted_at is not null
    """,
    "every poison sign-up is one dead letter, with its reason": """
        public.users as u
        where u.deleted_at is null and char_length(u.full_name) > 120
            and 1 <> (
                select count(*) from pgmend.dead_letters as d
                where d.user_key = u.id::text and d.kind = 'user_created' and d.verdict = 'needs_recipe'
                    and d.sqlstate = '23514' and d.hint like '%profiles_name_is_short%'
            )
    """,
    "no event has the same audit entry twice": """
        (select from public.error_logs where event_id is not null group by event_id, error_type having count(*) > 1) as twice
    """,
    "no profile is created twice": """
        (
            select from public.error_logs where error_type = 'MISSING_PROFILE_CREATED' group by user_id having count(*) > 1
        ) as twice
    """,
    "every capture has exactly one outcome": """
        public.error_logs as captured
        where captured.error_type = 'FOREIGN_KEY_VIOLATION_CAPTURED'
            and 1 <> (
                select count(*) from public.error_logs as outcome
                where outcome.event_id = captured.event_id
                    and outcome.error_type
                        in (
                            'INSERT_REPLAYED', 'INSERT_FOUND_STORED', 'CONVERSATION_RETRIED', 'ERASED_USER_EVENT_DROPPED',
                            'EVENT_DEAD_LETTERED'
                        )
            )
    """,
    "every whole user has the one order and the one lead": """
        public.users as u
        where u.email like 'whole-%'
            and (
                1 <> (select count(*) from public.orders as o where o.user_id = u.id)
                or 1 <> (select count(*) from public.leads as l where l.user_id = u.id)
            )
    """,
    "every unannounced user has the one order": """
        public.users as u
        where u.email like 'unannounced-%' and 1 <> (select count(*) from public.orders as o where o.user_id = u.id)
    """,
    "every customer has one conversation with one welcome message": """
        public.users as u
        where u.email like 'customer-%'
            and (
                1 <> (select count(*) from public.conversations as c where c.customer_id = u.id)
                or 1 <> (
                    select count(*) from public.conversations as c
                    join public.chat_messages as m on m.conversation_id = c.id and m.kind = 'welcome'
                    where c.customer_id = u.id
                )
            )
    """,
    "every dead letter is audited, and nothing else is": """
        (select event_id from public.error_logs where error_type = 'EVENT_DEAD_LETTERED') as audited
        full join pgmend.dead_letters using (event_id)
        where dead_letters.verdict is null or num_nulls(dead_letters.event_id, audited.event_id) > 0
    """,
}
"""What holds once everything is settled, each with what would break it: ``select count(*) from ...`` has to be 0."""


async def no_grace(connection: Connection) -> None:
    """Let an insert for an unknown user be a dead letter at its first handling."""
    await connection.execute("update pgmend.guarded_constraints set unknown_user_grace = '0'")


async def play(connection: Connection, *, rounds: int = 1) -> None:
    """Meet every fate ``rounds`` times; needs a superuser, for the sign-ups that nothing announces."""
    for number in range(rounds):
        await play_whole(connection, f"whole-{number}@example.org")
        await sign_up(connection, f"poison-{number}@example.org", TOO_LONG)
        await _play_erased(connection, f"soft-{number}@example.org", "update public.users set deleted_at = now() where id = $1")
        await _play_erased(connection, f"hard-{number}@example.org", "delete from public.users where id = $1")
        await park_order(connection, str(await connection.fetchval("select gen_random_uuid()")))
        await play_unannounced_order(connection, f"unannounced-{number}@example.org")
        customer = await sign_up(connection, f"customer-{number}@example.org")
        await connection.fetchval("select public.get_or_create_admin_conversation($1)", customer)


async def play_whole(connection: Connection, email: str) -> str:
    """Sign up a user who orders, and becomes a lead, in the same instant; return the key."""
    key = await sign_up(connection, email)
    await park_order(connection, key)
    await park(connection, "public.leads", {"user_id": key, "source": "test"})
    return key


async def play_unannounced(connection: Connection, email: str) -> str:
    """Sign up a user as a restore does: no trigger fires, no event announces it. Return the key; needs a superuser."""
    async with connection.transaction():
        await connection.execute("set local session_replication_role = replica")
        return await sign_up(connection, email)


async def play_unannounced_order(connection: Connection, email: str = "unannounced@example.org") -> str:
    """Sign up a user that only an order announces; return the key."""
    key = await play_unannounced(connection, email)
    await park_order(connection, key)
    return key


async def park_order(connection: Connection, user_key: str) -> str:
    """Insert an order without an id of its own, so that a second replay would show; return ``stored`` or ``parked``."""
    return await park(connection, "public.orders", {"user_id": user_key, "amount": 10})


async def report_order(connection: Connection, user_key: str) -> int:
    """Report an order as failed without trying it; return the receipt."""
    row = json.dumps({"user_id": user_key, "amount": 10})
    return int(await connection.fetchval("select pgmend.report_failed_insert('public.orders', $1)", row))


async def park(connection: Connection, table: str, row: dict[str, object]) -> str:
    """Insert or park a row; return ``stored`` or ``parked``."""
    query = "select pgmend.insert_or_park($1::text::regclass, $2) ->> 'status'"
    return str(await connection.fetchval(query, table, json.dumps(row)))


async def make_admin(connection: Connection) -> str:
    """Sign up an admin with a profile: the conversations that wait are due. Return the key."""
    key = await sign_up(connection, "admin@example.org")
    await connection.execute("insert into public.profiles (id, name, is_admin) values ($1, 'admin', true)", key)
    return key


async def healed(connection: Connection, key: str, *, within: float = 20.0) -> None:
    """Wait for the profile of a user."""
    await eventually(lambda: count(connection, "public.profiles where id = $1", key), within=within)


async def settled(connection: Connection, *, within: float = 60.0) -> None:
    """Wait until the outbox is empty."""

    async def is_empty() -> bool:
        return not await count(connection, "pgmend.outbox")

    await eventually(is_empty, within=within)


async def broken_promises(connection: Connection) -> list[str]:
    """Return the promises that do not hold."""
    return [promise for promise, breach in PROMISES.items() if await count(connection, breach)]


async def _play_erased(connection: Connection, email: str, erase: str) -> None:
    key = await sign_up(connection, email)
    await park_order(connection, key)
    await connection.execute(erase, key)
    await connection.execute("delete from public.profiles where id = $1", key)
