"""Reading: events, dead letters, the audit and an event's story, as a person finds them."""

from datetime import timedelta

import pytest

from tests.integration.test_requeue import two_dead_letters
from tests.support.database import sign_up
from tests.support.workload import park_order
from worker import pipeline
from worker.core.dead_letter import LetterFilter
from worker.core.pending_event import EventFilter
from worker.core.recorded_entry import AuditFilter, Cursor
from worker.pipeline import Path
from worker.store import audit_trail, dead_letters, events, stories
from worker.store.connection import Connection

STATES = """
    insert into pgmend.careful_events (source_id, kind, user_key, available_at, waiting_for)
    values (1, 'user_created', 'due', now(), null), (1, 'user_created', 'later', now() + interval '1 hour', null),
        (1, 'user_created', 'waiting', now(), 'admin'), (2, 'user_created', 'paused', now(), 'admin');
    insert into pgmend.profile_sources (users_table, users_key, profiles_table, profiles_key, recipe, paused_at)
    values ('public.orders', 'id', 'public.leads', 'id', '{}', now())
"""
ENTRIES = """
    insert into public.error_logs (error_type, severity, user_id, message, event_id, created_at)
    select 'T' || n % 2, 'info', 'u' || n % 3, n::text, n % 5, timestamptz '2026-01-01 00:00Z' + n / 4 * interval '1 second'
    from generate_series(0, 39) as n
"""


async def test_events_are_found_by_whatever_is_known_of_them(connection: Connection) -> None:
    """User, kind, table with and without its schema, constraint; newest first; and what does not fit is not there."""
    key = await sign_up(connection)
    await park_order(connection, key)
    await sign_up(connection, "other@example.org")

    async def kinds(**wanted: str) -> list[str]:
        return [it.kind for it in await events.listed(connection, EventFilter(**wanted), limit=10)]  # type: ignore[arg-type]

    assert await kinds() == ["user_created", "insert_failed", "user_created"]
    assert await kinds(user_key=key) == ["insert_failed", "user_created"]
    assert await kinds(kind="insert_failed") == ["insert_failed"]
    assert await kinds(table="orders") == await kinds(table="public.orders") == ["insert_failed"]
    assert await kinds(constraint="fk_orders_user_id") == ["insert_failed"]
    assert await kinds(table="leads") == await kinds(constraint="other") == await kinds(user_key="nobody") == []


@pytest.mark.parametrize("state", ["due", "later", "waiting", "paused"])
async def test_events_are_found_by_their_state(connection: Connection, state: str) -> None:
    """What can be claimed, what comes later, what waits for something, what waits for a person."""
    await connection.execute(STATES)

    found = await events.listed(connection, EventFilter(state=state), limit=10)  # type: ignore[arg-type]

    assert [(it.user_key, it.state) for it in found] == [(state, state)]


async def test_event_is_listed_without_its_payload_and_shown_with_it(connection: Connection) -> None:
    """What a captured row holds is personal: only a look at the one event brings it."""
    key = await sign_up(connection)
    await connection.execute('set request.jwt.claims = \'{"sub": "ada"}\'')
    await park_order(connection, key)

    (listed,) = await events.listed(connection, EventFilter(kind="insert_failed"), limit=10)
    shown = await events.one(connection, listed.event_id)

    assert listed.payload is None
    assert shown is not None
    assert shown.payload is not None
    assert (shown.payload.row["user_id"], shown.payload.writer_claims) == (key, '{"sub": "ada"}')
    assert await events.one(connection, listed.event_id + 100) is None


async def test_dead_letters_are_found_by_the_constraint_that_refused_them(connection: Connection, path: Path) -> None:
    """Not by the key that was captured: a person has mended what refused, and wants all of that back."""
    key = await two_dead_letters(connection, path)

    async def found(**wanted: object) -> list[str]:
        return [it.kind for it in await dead_letters.listed(connection, LetterFilter(**wanted), limit=10)]  # type: ignore[arg-type]

    both = ["insert_failed", "user_created"]
    assert (
        await found(constraint="profiles_name_is_short")
        == await found(verdict="needs_recipe")
        == await found(user_key=key)
        == both
    )
    assert await found(constraint="fk_orders_user_id") == await found(verdict="refused") == await found(user_key="nobody") == []
    newest, oldest = await dead_letters.listed(connection, LetterFilter(), limit=10)
    assert await found(event_ids=(oldest.event_id,)) == await found(before=newest.event_id) == ["user_created"]


async def test_dead_letter_shows_its_payload_and_what_refused_it(connection: Connection, path: Path) -> None:
    """One letter carries verdict, SQLSTATE, constraint, hint and the captured row."""
    key = await two_dead_letters(connection, path)
    listed, _ = await dead_letters.listed(connection, LetterFilter(), limit=10)

    shown = await dead_letters.one(connection, listed.event_id)

    assert listed.payload is None
    assert shown is not None
    assert (shown.verdict, shown.sqlstate, shown.failed_constraint) == ("needs_recipe", "23514", "profiles_name_is_short")
    assert shown.payload is not None
    assert shown.payload.row["user_id"] == key


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (AuditFilter(), range(40)),
        (AuditFilter(user_id="u1"), range(1, 40, 3)),
        (AuditFilter(event_id=2), range(2, 40, 5)),
        (AuditFilter(error_type="T1"), range(1, 40, 2)),
        (AuditFilter(user_id="u1", event_id=2, error_type="T1"), [n for n in range(40) if n % 3 == 1 and n % 5 == 2 and n % 2]),
    ],
    ids=["all", "user", "event", "type", "together"],
)
async def test_audit_is_read_page_by_page_without_a_gap_or_a_repetition(
    connection: Connection, wanted: AuditFilter, numbers: range
) -> None:
    """Newest first, across pages that end in the middle of one moment."""
    await connection.execute(ENTRIES)
    read: list[str] = []
    following: Cursor | None = None
    while True:
        asked = AuditFilter(wanted.user_id, wanted.event_id, wanted.error_type, after=following)
        page = await audit_trail.search(connection, asked, limit=3)
        read += [entry.message for entry in page.entries]
        if page.following is None:
            break
        following = Cursor.parse(str(page.following))

    assert read == [str(n) for n in sorted(numbers, reverse=True)]


async def test_audit_is_searched_by_time(connection: Connection) -> None:
    """From a moment on, before another: the first is included, the last is not."""
    await connection.execute(ENTRIES)
    (newest, *_) = (await audit_trail.search(connection, AuditFilter(), limit=1)).entries
    since, until = newest.created_at - timedelta(seconds=3), newest.created_at - timedelta(seconds=1)

    page = await audit_trail.search(connection, AuditFilter(since=since, until=until), limit=100)

    assert sorted({entry.created_at for entry in page.entries}) == [since, since + timedelta(seconds=1)]


async def test_story_is_told_from_the_capture_to_the_acknowledgement(connection: Connection, path: Path) -> None:
    """A dead letter that was mended and sent back: every moment in its order, and the event is gone."""
    await two_dead_letters(connection, path)
    letter, _ = await dead_letters.listed(connection, LetterFilter(), limit=10)
    dead = await stories.story(connection, letter.event_id)
    await connection.execute("alter table public.profiles drop constraint profiles_name_is_short")
    await dead_letters.requeue(connection, [letter.event_id])
    pending = await stories.story(connection, letter.event_id)
    await pipeline.turn(path)

    told = await stories.story(connection, letter.event_id)

    assert [it.kind for it in dead.moments] == ["audited", "dead_lettered"]
    assert (dead.state, pending.state, told.state) == ("dead", "pending", "settled")
    assert [it.entry.error_type if it.entry else it.kind for it in told.moments] == [
        "FOREIGN_KEY_VIOLATION_CAPTURED",
        "EVENT_DEAD_LETTERED",
        "DEAD_LETTER_REQUEUED",
        "MISSING_PROFILE_CREATED",
        "INSERT_REPLAYED",
        "acknowledged",
    ]


async def test_story_of_a_sign_up_begins_when_it_was_written(connection: Connection, path: Path) -> None:
    """The effect says how long it waited; so the beginning is known after the event is gone."""
    key = await sign_up(connection)
    event_id = await connection.fetchval("select event_id from pgmend.outbox")
    written = await connection.fetchval("select created_at from pgmend.outbox")
    await pipeline.turn(path)

    told = await stories.story(connection, event_id)

    assert (told.user_key, [it.kind for it in told.moments]) == (key, ["written", "audited", "acknowledged"])
    assert abs(told.moments[0].at - written) < timedelta(milliseconds=20)
    assert (await stories.story(connection, event_id + 1)).state == "unknown"
