"""A repair while the application writes: no error but the application's own, nobody waits for long, and the end is clean."""

import asyncio
import random
import uuid
from collections import Counter
from dataclasses import dataclass, field

import asyncpg
import pytest

from tests.support.database import Database, count
from tests.support.shop_of_orphans import planned, repaired, settled
from worker.core.retry_policy import RetryPolicy
from worker.errors import RepairBusyError
from worker.repair_run import Pacing, RepairRun, begin
from worker.store.connection import Connection

CONVERSATIONS, WRITERS, LONGEST_WAIT = 400, 4, "500ms"
SHOP = f"""
    delete from pgmend.guarded_constraints;
    set session_replication_role = replica;
    alter table public.conversations drop constraint conversations_pair_is_unique,
        drop constraint conversations_customer_id_fkey, drop constraint conversations_admin_id_fkey;
    insert into public.profiles (id, name) select md5('whole' || n)::uuid, 'w' from generate_series(1, 20) as n;
    insert into public.conversations (id, customer_id, admin_id)
    select md5('c' || n)::uuid, md5(case when n % 2 = 0 then 'whole' else 'lost' end || n % 20 + 1)::uuid, md5('whole1')::uuid
    from generate_series(1, {CONVERSATIONS}) as n;
    insert into public.chat_messages (conversation_id, sender_id, content)
    select md5('c' || n % {CONVERSATIONS} + 1)::uuid, md5('whole1')::uuid, 'hello' from generate_series(1, 2000) as n;
    alter table public.conversations add constraint conversations_customer_id_fkey
        foreign key (customer_id) references public.profiles (id) on delete cascade not valid;
    set session_replication_role = origin
"""
WRITES = (
    (
        "insert",
        "insert into public.chat_messages (conversation_id, sender_id, content) values ($1, md5('whole1')::uuid, 'x')",
    ),
    ("update", "update public.conversations set last_message = 'y' where id = $1"),
    ("edit", "update public.chat_messages set content = 'z' where conversation_id = $1"),
    ("delete", "delete from public.chat_messages where conversation_id = $1 and content = 'x'"),
)
ORPHANS = "public.conversations as c where not exists (select from public.profiles as p where p.id = c.customer_id)"


@dataclass(slots=True)
class Load:
    """What the writers have met: statements by kind, and errors by SQLSTATE."""

    done: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    is_over: bool = False

    async def write(self, connection: Connection, seed: int) -> None:
        """Insert, update and delete messages and conversations at random, with the patience of the repair's lock timeout."""
        chance = random.Random(seed)  # noqa: S311 - spread, not secrecy
        await connection.execute(f"set lock_timeout = '{LONGEST_WAIT}'")
        while not self.is_over:
            number = chance.randint(1, CONVERSATIONS)
            kind, statement = chance.choice(WRITES)
            try:
                await connection.execute(statement, uuid.UUID(await connection.fetchval("select md5($1)", f"c{number}")))
            except asyncpg.PostgresError as error:
                self.errors[f"{kind} {error.sqlstate}"] += 1
            self.done[kind] += 1


@pytest.fixture
async def shop(connection: Connection) -> Connection:
    """Conversations of whom half lost their customer, messages in all of them, and a key that is not valid yet."""
    await connection.execute(SHOP)
    return connection


async def test_application_that_writes_all_the_while_meets_no_error_of_ours(database: Database, shop: Connection) -> None:
    """Only a message to a conversation that is gone is refused, by its own key; nobody waits longer than the lock timeout."""
    load, session = Load(), await settled(database)
    messages = await count(shop, "public.chat_messages where content = 'hello' or content = 'z'")
    async with asyncio.TaskGroup() as group:
        for seed in range(WRITERS):
            group.create_task(load.write(await database.connect(), seed))
        repair_id, steps = await repaired(session, await planned(session), pacing=Pacing(batch_size=20, pause=0.02))
        load.is_over = True

    assert set(load.errors) <= {"insert 23503"}, load.errors
    assert min(load.done.values()) > 20, load.done
    assert sum(step.rows_done for step in steps) == CONVERSATIONS // 2
    assert await count(shop, ORPHANS) == 0
    await shop.execute("alter table public.conversations validate constraint conversations_customer_id_fkey")
    kept = await count(shop, "public.chat_messages where content in ('hello', 'z')")
    held = await count(
        shop, "pgmend.quarantine where table_name = 'public.chat_messages' and row_image ->> 'content' in ('hello', 'z')"
    )
    assert kept + held >= messages
    assert await count(shop, "pgmend.quarantine where repair_id = $1 and depth = 1", repair_id) > 0


async def test_row_that_somebody_holds_is_passed_over_and_taken_later(database: Database, shop: Connection) -> None:
    """The repair waits for no row: it does the others, and this one when it is free."""
    session, holder = await settled(database), await database.connect()
    transaction = holder.transaction()
    await transaction.start()
    await holder.execute("update public.conversations set last_message = 'held' where id = md5('c1')::uuid")
    plan = await planned(session)
    repair_id = await begin(session, plan, audit="batch", search_path="public")
    hasty = Pacing(pause=0, patience=RetryPolicy(0.001, 0.001, 2))

    with pytest.raises(RepairBusyError, match="locked"):
        await RepairRun(session, repair_id, "public", hasty, lambda _: None).run()

    assert await count(shop, ORPHANS) == 1
    await transaction.rollback()
    await RepairRun(session, repair_id, "public", hasty, lambda _: None).run()
    assert await count(shop, ORPHANS) == 0


async def test_orphan_stays_whole_while_one_of_its_messages_is_held(database: Database, shop: Connection) -> None:
    """A conversation is not taken without all of its messages, nor a message without its conversation."""
    session, holder = await settled(database), await database.connect()
    message = await shop.fetchval("select id from public.chat_messages where conversation_id = md5('c1')::uuid limit 1")
    transaction = holder.transaction()
    await transaction.start()
    await holder.execute("update public.chat_messages set content = 'held' where id = $1", message)
    repair_id = await begin(session, await planned(session), audit="batch", search_path="public")
    hasty = Pacing(pause=0, patience=RetryPolicy(0.001, 0.001, 2))

    with pytest.raises(RepairBusyError):
        await RepairRun(session, repair_id, "public", hasty, lambda _: None).run()

    assert await count(shop, ORPHANS) == 1
    assert await count(shop, "public.chat_messages where conversation_id = md5('c1')::uuid") == 5
    await transaction.rollback()


async def test_second_session_on_the_same_run_is_refused(database: Database, shop: Connection) -> None:
    """Two never work on one run."""
    assert await count(shop, ORPHANS) == CONVERSATIONS // 2
    first, second = await settled(database), await settled(database)
    repair_id = await begin(first, await planned(first), audit="batch", search_path="public")
    await first.execute(f"select pg_advisory_lock(1885826669, {repair_id})")

    with pytest.raises(RepairBusyError, match="another session"):
        await RepairRun(second, repair_id, "public", Pacing(takeover=0), lambda _: None).run()


async def test_table_that_is_locked_whole_holds_the_repair_up_and_not_the_application(
    database: Database, shop: Connection
) -> None:
    """The batch gives up after the lock timeout, is taken again, and at last the run says who is in the way."""
    session, holder = await settled(database), await database.connect()
    plan = await planned(session)
    repair_id = await begin(session, plan, audit="batch", search_path="public")
    await session.execute("select pgmend.collect_orphans(step_id, 1000) from pgmend.repair_steps; set lock_timeout = '1ms'")
    transaction = holder.transaction()
    await transaction.start()
    await holder.execute("lock table public.conversations in share mode")

    with pytest.raises(RepairBusyError, match="in the way"):
        await RepairRun(session, repair_id, "public", Pacing(patience=RetryPolicy(0.001, 0.001, 3)), lambda _: None).run()

    await transaction.rollback()
    assert await count(shop, ORPHANS) == CONVERSATIONS // 2
