"""Dead letters: what a person does with them."""

import asyncio
import json
from datetime import timedelta

from tests.support.database import Database, count, sign_up
from tests.support.outbox import dead_letters, due_now
from worker import pipeline
from worker.pipeline import Path
from worker.store.connection import Connection
from worker.store.stories import story

REQUEUE = "select pgmend.requeue(array(select event_id from pgmend.dead_letters))"
DISCARD = "select pgmend.discard(array(select event_id from pgmend.dead_letters))"


async def two_dead_letters(connection: Connection, path: Path) -> str:
    """Leave the sign-up and the order of a user whose name is too long for a profile; return the key."""
    key = await sign_up(connection, name="x" * 121)
    row = json.dumps({"user_id": key, "amount": 10})
    await connection.execute("select pgmend.insert_or_park('public.orders', $1)", row)
    await pipeline.turn(path)
    assert await dead_letters(connection) == [("needs_recipe", "23514")] * 2
    return key


async def test_requeued_after_the_reason_is_gone_it_is_healed_and_replayed(connection: Connection, path: Path) -> None:
    """The failure that made it a dead letter is forgotten: what counts is whether it works now."""
    key = await two_dead_letters(connection, path)
    await connection.execute("alter table public.profiles drop constraint profiles_name_is_short")

    assert await connection.fetchval(REQUEUE) == 2
    await pipeline.turn(path)

    assert await dead_letters(connection) == []
    assert await count(connection, "public.orders join public.profiles on profiles.id = user_id where user_id = $1", key) == 1


async def test_requeued_while_the_reason_stands_it_is_a_dead_letter_again(connection: Connection, path: Path) -> None:
    """Nothing goes round in circles: one attempt, and it is back in front of the person, under the id that it had."""
    await two_dead_letters(connection, path)
    kept = "select array_agg(event_id || coalesce(row_image::text, '') order by event_id) from pgmend.dead_letters"
    before = await connection.fetchval(kept)

    await connection.execute(REQUEUE)
    await pipeline.turn(path)

    assert await connection.fetchval(kept) == before
    assert await count(connection, "pgmend.dead_letters where attempts = 1") == 2


async def test_requeued_it_is_as_old_as_it_was(connection: Connection, path: Path) -> None:
    """The time of the capture stays: no requeue makes an event younger, for a person or for what keeps it so many days."""
    await two_dead_letters(connection, path)
    written = "select array_agg(created_at order by event_id) from pgmend.{}"
    before = await connection.fetchval(written.format("dead_letters"))

    await connection.execute(REQUEUE)
    waiting = await connection.fetchval(written.format("outbox"))
    await pipeline.turn(path)

    assert waiting == before
    assert await connection.fetchval(written.format("dead_letters")) == before


async def test_story_of_a_requeued_event_is_told_in_the_order_of_time(connection: Connection, path: Path) -> None:
    """Written, set aside, sent back, healed: a requeue does not come before the event was written."""
    await sign_up(connection, name="x" * 121)
    await pipeline.turn(path)
    event_id = await connection.fetchval("select event_id from pgmend.dead_letters")
    written = await connection.fetchval("select created_at from pgmend.dead_letters")
    await connection.execute("alter table public.profiles drop constraint profiles_name_is_short")
    await connection.execute(REQUEUE)
    await pipeline.turn(path)

    moments = (await story(connection, event_id)).moments

    said = [moment.entry.error_type if moment.entry else moment.kind for moment in moments]
    assert said == ["written", "EVENT_DEAD_LETTERED", "DEAD_LETTER_REQUEUED", "MISSING_PROFILE_CREATED", "acknowledged"]
    assert abs(moments[0].at - written) < timedelta(seconds=0.1)


async def test_requeued_row_of_nobody_is_not_given_a_grace_period_anew(connection: Connection, path: Path) -> None:
    """The grace counts from the capture, and is over: one look, and the row is back in front of the person, or stands."""
    row = json.dumps({"user_id": "00000000-0000-0000-0000-000000000001", "amount": 10})
    await connection.execute("select pgmend.insert_or_park('public.orders', $1)", row)
    await connection.execute("update pgmend.careful_events set created_at = created_at - interval '1 hour'")
    await pipeline.turn(path)
    await due_now(connection)
    await pipeline.turn(path)
    before = await dead_letters(connection)

    await connection.execute(REQUEUE)
    await pipeline.turn(path)

    assert before == [("unknown_user", "23503")]
    assert await dead_letters(connection) == before


async def test_requeue_rings(database: Database, connection: Connection, path: Path) -> None:
    """A sleeping worker hears of it."""
    await two_dead_letters(connection, path)
    rings: asyncio.Queue[object] = asyncio.Queue()
    listener = await database.connect()
    await listener.add_listener("pgmend", lambda *ring: rings.put_nowait(ring))

    await connection.execute(REQUEUE)

    async with asyncio.timeout(20):
        await rings.get()


async def test_discarded_it_is_gone_but_for_the_audit(connection: Connection, path: Path) -> None:
    """The captured row goes, and the audit keeps who let go of what."""
    await two_dead_letters(connection, path)

    assert await connection.fetchval(DISCARD) == 2

    audited = "public.error_logs where error_type = 'DEAD_LETTER_DISCARDED' and details ->> 'discarded_by' = session_user"
    assert await count(connection, audited + " and event_id is not null and sqlstate = '23514'") == 2
    assert await count(connection, "pgmend.outbox") + await count(connection, "pgmend.dead_letters") == 0


async def test_letter_that_is_not_there_is_nobodys(connection: Connection) -> None:
    """Requeued or discarded twice, it was one: the second time says 0 and writes nothing."""
    assert await connection.fetchval("select pgmend.requeue('{1}') + pgmend.discard('{1}')") == 0
    assert await count(connection, "public.error_logs") == 0
