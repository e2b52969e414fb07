"""The bare LISTEN loop: ``python -m bench.reference.bare_loop URL [together]``. One transaction for each event, no recovery.

Without ``together`` it is what one writes first: fetch the event, make the profile, write the audit row, delete the event. With
it, the same in a single statement, which is as fast as such a loop gets.
"""

import asyncio
import sys

import asyncpg

from bench.reference.triggers import OUTBOX_CHANNEL
from worker.store.connection import Connection

NEXT = "select event_id, user_key from public.plain_outbox order by event_id limit 1 for update skip locked"

PROFILE = """
insert into public.profiles (id, name, avatar_url, is_admin, is_online)
select id, public.display_name(full_name, email), coalesce(profile_picture_url, ''), false, false
from public.users
where id = $1::text::uuid and deleted_at is null
on conflict do nothing
"""

AUDIT = """
insert into public.error_logs (error_type, severity, user_id, message, attempt, event_id)
values ('MISSING_PROFILE_CREATED', 'info', $1, 'the missing profile was created', 1, $2)
"""

DELETE = "delete from public.plain_outbox where event_id = $1"

TOGETHER = f"""
with next as ({NEXT}),
deleted as (delete from public.plain_outbox as event using next where event.event_id = next.event_id),
healed as ({PROFILE.replace("$1::text::uuid", "(select user_key::uuid from next)")} returning id),
audited as (
    insert into public.error_logs (error_type, severity, user_id, message, attempt, event_id)
    select 'MISSING_PROFILE_CREATED', 'info', next.user_key, 'the missing profile was created', 1, next.event_id
    from next inner join healed on healed.id = next.user_key::uuid
)
select count(*) from next
"""


async def settle_next(connection: Connection) -> bool:
    """Settle one event in a transaction of its own; return whether there was one."""
    async with connection.transaction():
        event = await connection.fetchrow(NEXT)
        if event is None:
            return False
        await connection.execute(PROFILE, event["user_key"])
        await connection.execute(AUDIT, event["user_key"], event["event_id"])
        await connection.execute(DELETE, event["event_id"])
        return True


async def settle_next_together(connection: Connection) -> bool:
    """Settle one event in one statement; return whether there was one."""
    return bool(await connection.fetchval(TOGETHER))


async def listen(url: str, *, together: bool) -> None:
    """Settle events as they are announced, until the process is ended."""
    rung = asyncio.Event()
    listening = await asyncpg.connect(url)
    working = await asyncpg.connect(url)
    settle = settle_next_together if together else settle_next
    await listening.add_listener(OUTBOX_CHANNEL, lambda *_arguments: rung.set())
    while True:
        rung.clear()
        while await settle(working):
            pass
        await rung.wait()


if __name__ == "__main__":
    asyncio.run(listen(sys.argv[1], together="together" in sys.argv[2:]))
