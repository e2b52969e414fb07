"""What the storm of the demo has found wrong, each with the smallest case that shows it."""

import json

from tests.support.database import Database, count, sign_up
from worker import pipeline
from worker.pipeline import Path
from worker.store import outbox
from worker.store.connection import Connection

ORDER = "select pgmend.insert_or_park('public.orders', $1::jsonb)"


async def place_order(connection: Connection, key: str) -> None:
    """Place an order through the capture."""
    await connection.execute(ORDER, json.dumps({"user_id": key, "amount": 1}))


async def handle_again(connection: Connection, path: Path) -> None:
    """Make what was released due now, and take a turn."""
    await connection.execute("update pgmend.careful_events set available_at = clock_timestamp() - interval '1 second'")
    await pipeline.turn(path)


async def test_capture_whose_profile_cannot_be_built_needs_a_recipe(connection: Connection, path: Path) -> None:
    """The dead letter of a captured row names the recipe when it is the profile that fails, not the row."""
    key = await sign_up(connection, name="x" * 121)
    await place_order(connection, key)

    await pipeline.turn(path)
    await handle_again(connection, path)

    letters = await connection.fetch("select kind, verdict from pgmend.dead_letters order by kind")
    assert [tuple(letter) for letter in letters] == [
        ("insert_failed", "needs_recipe"),
        ("user_created", "needs_recipe"),
    ]


async def test_captured_row_of_a_user_deleted_before_the_healing_is_dropped(connection: Connection, path: Path) -> None:
    """A user whose sign-up was found to be erased is no unknown user: what was captured is dropped, not kept."""
    key = await sign_up(connection)
    await place_order(connection, key)
    await connection.execute("delete from public.users where id = $1", key)

    await pipeline.turn(path)
    await handle_again(connection, path)

    assert await count(connection, "pgmend.outbox") == 0
    assert await count(connection, "pgmend.dead_letters") == 0
    assert await count(connection, "public.error_logs where error_type = 'ERASED_USER_EVENT_DROPPED'") == 2


async def test_two_workers_never_handle_one_user_at_the_same_time(database: Database) -> None:
    """What is captured of one user goes to one worker at a time: two batches in different order would wait for each other."""
    first, second = await database.connect(), await database.connect()
    ada, grace = await sign_up(first, "ada@example.org"), await sign_up(first, "grace@example.org")
    for key in (ada, ada, grace):
        await place_order(first, key)

    async with first.transaction(), second.transaction():
        held = await outbox.claim(first, limit=1)
        free = await outbox.claim(second, limit=10)

    assert [event.user_key for event in held] == [ada]
    assert [event.user_key for event in free] == [grace]


async def test_sign_up_that_commits_late_does_not_wait_for_the_careful_lane(
    database: Database, connection: Connection, path: Path
) -> None:
    """A low id that becomes visible late is healed by the next turn, however much is captured and due beside it."""
    path.careful_limit = 1
    slow = await database.connect()
    uncommitted = slow.transaction()
    await uncommitted.start()
    late, other = await sign_up(slow), await sign_up(connection)
    for _ in range(3):
        await place_order(connection, other)

    await pipeline.turn(path)
    await uncommitted.commit()
    await pipeline.turn(path)

    assert await count(connection, "public.profiles where id = $1", late) == 1
    assert await count(connection, "pgmend.outbox") > 0


async def test_captured_row_found_after_a_long_outage_is_looked_at_twice(
    database: Database, connection: Connection, path: Path
) -> None:
    """Older than its grace at the first look, a capture still waits for what the sign-up's own event will tell."""
    other = await database.connect()
    async with connection.transaction():
        key = await sign_up(connection)
        await place_order(other, key)
    await connection.execute("delete from public.users where id = $1", key)
    await connection.execute("update pgmend.careful_events set created_at = created_at - interval '1 hour'")

    await pipeline.turn(path)
    await handle_again(connection, path)

    assert await count(connection, "pgmend.dead_letters") == 0
    assert await count(connection, "public.error_logs where error_type = 'ERASED_USER_EVENT_DROPPED'") == 2
