"""Captures: what the four ways into the outbox store, refuse and promise."""

import json

import asyncpg
import pytest

from tests.support.database import count, sign_up
from worker import pipeline
from worker.pipeline import Path
from worker.store.connection import Connection


async def insert_or_park(connection: Connection, table: str, **row: object) -> dict[str, object]:
    """Insert through the capture and return the receipt."""
    answer = await connection.fetchval("select pgmend.insert_or_park($1::text::regclass, $2)", table, json.dumps(row))
    receipt: dict[str, object] = json.loads(answer)
    return receipt


async def test_sign_up_never_fails_because_of_the_capture(connection: Connection) -> None:
    """With the outbox gone, the sign-up still commits; the sweep will find the user."""
    await connection.execute("alter table pgmend.express_events rename to moved_away")

    await sign_up(connection)

    assert await count(connection, "public.users") == 1


async def test_insert_that_can_stand_is_stored_at_once(connection: Connection, path: Path) -> None:
    """The capture adds nothing where nothing fails."""
    key = await sign_up(connection)
    await pipeline.turn(path)

    assert await insert_or_park(connection, "public.orders", user_id=key, amount=1) == {"status": "stored"}
    assert await count(connection, "pgmend.outbox") == 0


async def test_other_errors_are_the_callers(connection: Connection) -> None:
    """A row that fails for another reason is no capture: the caller gets its error."""
    with pytest.raises(asyncpg.NotNullViolationError):
        await insert_or_park(connection, "public.orders", amount=1)


async def test_unguarded_constraint_is_an_honest_violation(connection: Connection, path: Path) -> None:
    """A foreign key that nobody guards fails as it always did."""
    key = await sign_up(connection)
    await pipeline.turn(path)
    with pytest.raises(
        asyncpg.ForeignKeyViolationError, match='violates foreign key constraint "chat_messages_conversation_id_fkey"'
    ):
        await insert_or_park(
            connection,
            "public.chat_messages",
            sender_id=key,
            content="hi",
            conversation_id="00000000-0000-0000-0000-000000000000",
        )


async def test_column_that_does_not_exist_is_refused_at_once(connection: Connection) -> None:
    """What could not be stored is said before anything is parked."""
    key = await sign_up(connection)
    with pytest.raises(asyncpg.PostgresError, match="has no column total"):
        await insert_or_park(connection, "public.orders", user_id=key, amount=1, total=2)


async def test_reported_insert_is_replayed(connection: Connection, path: Path) -> None:
    """An application that cannot change its insert reports it after its own rollback."""
    key = await sign_up(connection)
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await connection.execute("insert into public.chat_messages (sender_id, content) values ($1, 'hi')", key)
    receipt = await connection.fetchval(
        "select pgmend.report_failed_insert('public.chat_messages', $1)",
        json.dumps({"sender_id": key, "content": "hi"}),
    )

    await pipeline.turn(path)

    assert receipt > 0
    assert await count(connection, "public.chat_messages where sender_id = $1 and content = 'hi'", key) == 1


async def test_unknown_user_is_a_dead_letter_after_the_grace_period(connection: Connection, path: Path) -> None:
    """A key that never existed ends in front of a person, with the row whole."""
    await connection.execute("update pgmend.guarded_constraints set unknown_user_grace = '0'")
    ghost = "11111111-1111-1111-1111-111111111111"
    await insert_or_park(connection, "public.leads", user_id=ghost, source="web")

    await pipeline.turn(path)
    await connection.execute("update pgmend.careful_events set available_at = now()")
    await pipeline.turn(path)

    letter = await connection.fetchrow("select verdict, row_image from pgmend.dead_letters")
    assert letter is not None
    assert letter["verdict"] == "unknown_user"
    assert json.loads(letter["row_image"]) == {"user_id": ghost, "source": "web"}


async def test_replay_that_meets_its_own_row_is_done(connection: Connection, path: Path) -> None:
    """The client tried again by itself and succeeded: the captured row is the same row, and no conflict."""
    key = await sign_up(connection)
    row = {"id": "22222222-2222-2222-2222-222222222222", "user_id": key, "amount": "5.00"}
    await insert_or_park(connection, "public.orders", **row)
    await pipeline.express(path)
    await connection.execute("insert into public.orders (id, user_id, amount) values ($1, $2, 5)", row["id"], key)

    await pipeline.turn(path)

    assert await count(connection, "public.orders") == 1
    assert await count(connection, "pgmend.dead_letters") == 0


async def test_replay_that_meets_another_row_is_a_dead_letter(connection: Connection, path: Path) -> None:
    """The same key with other values is a conflict for a person, not success."""
    key = await sign_up(connection)
    row = {"id": "22222222-2222-2222-2222-222222222222", "user_id": key, "amount": "5.00"}
    await insert_or_park(connection, "public.orders", **row)
    await pipeline.express(path)
    await connection.execute("insert into public.orders (id, user_id, amount) values ($1, $2, 6)", row["id"], key)

    await pipeline.turn(path)

    assert await connection.fetchval("select verdict || sqlstate from pgmend.dead_letters") == "refused23505"


async def test_replay_has_the_rights_of_the_writer_only(connection: Connection, path: Path) -> None:
    """A row that its writer may no longer insert is refused at replay, though the worker itself could."""
    await connection.execute(
        "drop role if exists shop_writer; create role shop_writer; grant insert on public.orders to shop_writer"
    )
    await connection.execute("select pgmend.grant_captures('shop_writer')")
    key = await sign_up(connection)
    await connection.execute("set role shop_writer")
    await insert_or_park(connection, "public.orders", user_id=key, amount=1)
    await connection.execute("reset role; revoke insert on public.orders from shop_writer")

    await pipeline.turn(path)

    assert await connection.fetchval("select verdict || sqlstate from pgmend.dead_letters") == "refused42501"
    assert await count(connection, "public.orders") == 0
    await connection.execute("drop owned by shop_writer; drop role shop_writer")


async def test_replay_carries_the_claims_of_the_writer(connection: Connection, path: Path) -> None:
    """Triggers and policies that read request.jwt.claims see at replay what they would have seen then."""
    await connection.execute(
        "alter table public.leads add column created_by text default current_setting('request.jwt.claims', true)"
    )
    key = await sign_up(connection)
    await connection.execute("select set_config('request.jwt.claims', '{\"sub\": \"ada\"}', false)")
    await insert_or_park(connection, "public.leads", user_id=key, source="web")

    await pipeline.turn(path)

    assert await connection.fetchval("select created_by from public.leads") == '{"sub": "ada"}'
    assert await path.connection.fetchval(
        "select current_user = session_user and coalesce(current_setting('request.jwt.claims', true), '') = ''"
    )


async def test_guard_of_a_key_that_is_none_is_refused_with_a_hint(connection: Connection) -> None:
    """Only a foreign key to an attached profiles table can be guarded."""
    with pytest.raises(asyncpg.UndefinedObjectError) as refused:
        await connection.execute("select pgmend.guard('public.orders', 'orders_pkey')")

    assert "attach_source" in (refused.value.hint or "")


async def test_recipe_that_does_not_parse_is_refused_before_the_trigger_stands(connection: Connection) -> None:
    """A wrong expression is found when it is given, not at the first sign-up."""
    with pytest.raises(asyncpg.UndefinedColumnError, match="nickname"):
        await connection.execute(
            """select pgmend.attach_source('public.users', 'public.profiles', '{"name": "users.nickname"}')"""
        )


async def test_key_column_that_does_not_exist_is_refused(connection: Connection) -> None:
    """The error names the column that there is not."""
    with pytest.raises(asyncpg.UndefinedColumnError, match=r"no column public\.users\.uid"):
        await connection.execute("select pgmend.attach_source('public.users', 'public.profiles', '{}', users_key => 'uid')")


async def test_recipe_column_that_does_not_exist_is_refused(connection: Connection) -> None:
    """A recipe gives columns of the profiles table and no others."""
    with pytest.raises(asyncpg.UndefinedColumnError, match=r"no column public\.profiles\.nick"):
        await connection.execute("""select pgmend.attach_source('public.users', 'public.profiles', '{"nick": "null"}')""")


async def test_payload_of_a_user_erased_after_the_capture_is_dropped(connection: Connection, path: Path) -> None:
    """The captured row of a user who is gone since is no dead letter: nothing of them is kept."""
    key = await sign_up(connection)
    await insert_or_park(connection, "public.leads", user_id=key, source="web")
    await connection.execute("delete from public.users where id = $1", key)

    await pipeline.turn(path)

    assert await count(connection, "pgmend.outbox") + await count(connection, "pgmend.dead_letters") == 0
    assert (
        await count(connection, "public.error_logs where error_type = 'ERASED_USER_EVENT_DROPPED' and event_id is not null") == 2
    )
