"""The path of an event, in one process: what a turn makes of sign-ups and of captured inserts."""

from io import StringIO

from tests.support.database import count, sign_up
from tests.support.workload import TOO_LONG
from worker import pipeline
from worker.pipeline import Path
from worker.store.connection import Connection

CREATED = "public.error_logs where error_type = 'MISSING_PROFILE_CREATED' and user_id = $1"


async def test_sign_up_without_profile_is_healed_and_audited_once(connection: Connection, path: Path) -> None:
    """One turn makes the profile by the recipe, audits it once and acknowledges the event."""
    key = await sign_up(connection, "ada@example.org")

    turn = await pipeline.turn(path)

    assert turn.handled == 1
    assert await connection.fetchval("select name from public.profiles where id = $1", key) == "ada"
    assert await count(connection, CREATED, key) == 1
    assert await count(connection, "pgmend.outbox") == 0


async def test_sign_up_whose_application_made_the_profile_is_acknowledged_without_a_word(
    connection: Connection, path: Path
) -> None:
    """A whole user is left alone: no second profile, no audit entry."""
    key = await sign_up(connection)
    await connection.execute("insert into public.profiles (id, name) values ($1, 'Ada')", key)

    await pipeline.turn(path)

    assert await count(connection, CREATED, key) == 0
    assert await count(connection, "pgmend.outbox") == 0


async def test_two_events_of_one_user_make_one_profile_and_one_entry(connection: Connection, path: Path) -> None:
    """An event announced twice, by the sign-up and by the sweep, has its effect once."""
    key = await sign_up(connection)
    await connection.execute(
        "insert into pgmend.express_events (source_id, user_key) select source_id, user_key from pgmend.express_events"
    )

    await pipeline.turn(path)

    assert await count(connection, CREATED, key) == 1
    assert await count(connection, "pgmend.outbox") == 0


async def test_erased_user_is_not_healed(connection: Connection, path: Path) -> None:
    """A user deleted softly before the worker came has no profile made, and the audit says so."""
    key = await sign_up(connection)
    await connection.execute("update public.users set deleted_at = now() where id = $1", key)

    await pipeline.turn(path)

    assert await count(connection, "public.profiles") == 0
    assert await count(connection, "public.error_logs where error_type = 'ERASED_USER_EVENT_DROPPED' and user_id = $1", key) == 1


async def test_profile_that_the_recipe_cannot_build_becomes_a_dead_letter(connection: Connection, path: Path) -> None:
    """The dead letter names verdict, SQLSTATE, constraint and what would help; the others of the batch are healed."""
    await sign_up(connection, "a@x")
    bad = await sign_up(connection, "b@x", "x" * 121)
    await sign_up(connection, "c@x")

    await pipeline.turn(path)

    letter = await connection.fetchrow("select user_key, verdict, sqlstate, message, hint from pgmend.dead_letters")
    assert letter is not None
    assert (letter["user_key"], letter["verdict"], letter["sqlstate"]) == (bad, "needs_recipe", "23514")
    assert "profiles_name_is_short" in letter["hint"]
    assert await count(connection, "public.profiles") == 2


async def test_event_that_changes_lanes_is_the_same_event(connection: Connection, path: Path) -> None:
    """What the express lane cannot settle keeps its id, its age and its correlation id."""
    await connection.execute("set pgmend.correlation_id = 'request-7'")
    await sign_up(connection, name=TOO_LONG)
    fields = "event_id, source_id, user_key, created_at, correlation_id"
    before = await connection.fetch(f"select {fields} from pgmend.express_events")

    await pipeline.express(path)

    assert await connection.fetch(f"select {fields} from pgmend.careful_events") == before
    assert await count(connection, "pgmend.express_events") == 0


async def test_captured_order_is_replayed_once_the_profile_exists(connection: Connection, path: Path) -> None:
    """The order of a user without profile is parked, then stands, with one entry for each effect."""
    key = await sign_up(connection)
    receipt = await connection.fetchval(
        "select pgmend.insert_or_park('public.orders', jsonb_build_object('user_id', $1::text, 'amount', 9.90))", key
    )
    assert '"parked"' in receipt

    await pipeline.turn(path)

    assert await count(connection, "public.orders where user_id = $1 and amount = 9.90", key) == 1
    entries = await connection.fetch("select error_type from public.error_logs where user_id = $1 order by 1", key)
    assert [entry[0] for entry in entries] == [
        "FOREIGN_KEY_VIOLATION_CAPTURED",
        "INSERT_REPLAYED",
        "MISSING_PROFILE_CREATED",
    ]


async def test_conversation_without_admin_waits_and_follows_when_one_appears(connection: Connection, path: Path) -> None:
    """The call returns null and raises nothing; the conversation and its one welcome come with the admin."""
    customer, admin = await sign_up(connection), await sign_up(connection, "admin@x")
    assert await connection.fetchval("select public.get_or_create_admin_conversation($1)", customer) is None
    await pipeline.turn(path)
    assert await connection.fetchval("select waiting_for from pgmend.outbox") == "admin"

    await connection.execute("update public.profiles set is_admin = true where id = $1", admin)
    await pipeline.turn(path)

    assert await count(connection, "public.conversations where customer_id = $1 and last_message is not null", customer) == 1
    assert await count(connection, "public.chat_messages where kind = 'welcome' and sender_id = $1", admin) == 1
    assert await count(connection, "public.error_logs where error_type = 'CONVERSATION_RETRIED'") == 1


async def test_each_careful_event_leaves_one_canonical_line(connection: Connection, path: Path, log_lines: StringIO) -> None:
    """One event, one line, with its id, user, attempt, verdict and duration."""
    key = await sign_up(connection)
    await connection.execute("update public.users set deleted_at = now() where id = $1", key)

    await pipeline.turn(path)

    lines = [line for line in log_lines.getvalue().splitlines() if '"event_id"' in line]
    assert len(lines) == 1
    for field in (
        '"event": "event_acknowledged"',
        f'"user_key": "{key}"',
        '"attempt": 1',
        '"duration_ms"',
        '"verdict": "erased"',
    ):
        assert field in lines[0]
