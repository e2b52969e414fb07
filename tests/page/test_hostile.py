"""Whatever somebody has written into a field, it is shown as text."""

import json
import re
from urllib.parse import quote

import pytest

from tests.support.paged import Visitor
from worker.store.connection import Connection

PAYLOADS = {
    "script": "<script>alert(1)</script>",
    "attribute": "\"><img src=x onerror=alert(1)> ' onmouseover='alert(1)",
    "comment": "--></main><!-- <![CDATA[",
    "template": "{{ 7 * 7 }}{% raise %}{# #}${7*7}",
    "direction": "abc\u202egnp.exe\u2066\u200f",
    "control": "\x01\x1b[31mred\x7f\u0085\ufeff",
    "address": "javascript:alert(1)//https://evil.example",
    "entity": "&lt;script&gt;&#60;&amp;amp;",
    "large": "<b>" * 350_000,
    "list": '["<b>"]',
    "emoji": "\U0001f469\u200d\U0001f469\u200d\U0001f467 \ud7ff\uffff",
}

_LETTER = """
    insert into pgmend.dead_letters (
        event_id, source_id, kind, user_key, verdict, message, hint, sqlstate, failed_constraint, failed_column,
        correlation_id, referencing_table, constraint_name, row_image, writer_role, writer_claims, attempts
    )
    select
        9, 1, 'insert_failed', left(given, 500), left(given, 500), given, given, given, left(given, 500), given,
        given, 'public.orders', left(given, 60)::name, jsonb_build_object(given, given), left(given, 60)::name, given, 2147483647
    from cast($1 as text) as given
"""
_ENTRIES = """
    insert into public.error_logs (
        error_type, severity, user_id, table_name, constraint_name, sqlstate,
        message, details, attempt, event_id, correlation_id, created_at
    )
    select
        left(given, 500), given, left(given, 500), given, given, given,
        given, details, -2147483648, 9, given, at::timestamptz
    from cast($1 as text) as given
    cross join unnest(
        array[
            jsonb_build_object(given, given), '[1, [2]]', '"text"', 'null',
            '{"waited_ms": 1e300}', '{"waited_ms": "<b>"}', '{"waited_ms": 1e400}'
        ],
        array['2026-01-01', 'infinity', '-infinity', '0002-01-01', '9999-12-31', 'now', 'now']
    ) as entry (details, at)
"""
_OURS = """
    insert into public.error_logs (error_type, severity, message, details)
    select type, 'info', $1::text, details
    from unnest(array['MISSING_PROFILE_CREATED', 'USERS_WITHOUT_PROFILE_DETECTED', 'FOREIGN_KEY_VIOLATION_CAPTURED']) as type
    cross join unnest(
        array[
            jsonb_build_object('waited_ms', $1::text, 'source_id', $1::text, 'users', $1::text, 'verdict', $1::text),
            '{"waited_ms": 1e400, "source_id": 1e400, "users": 1e400}', '[]', '{"waited_ms": -1, "source_id": null, "users": {}}'
        ]
    ) as details
"""
_WORKER = """
    insert into pgmend.workers (worker_id, host, pid, version, listening, started_at, seen_at)
    values (left($1::text, 500), $1::text, 1, $1::text, false, 'now', '1970-01-01')
"""
_SOURCE = "update pgmend.profile_sources set paused_at = '1970-01-01', paused_because = $1::text"
_ORPHANS = "insert into pgmend.orphan_counts values (left($1::text, 500), $1::text, $1::text, 9223372036854775807, null, now())"
_USERS = "insert into pgmend.user_counts values (1, 9223372036854775807, 9223372036854775806, 9223372036854775807, now(), now())"


async def poison(connection: Connection, payload: str) -> None:
    """Write the payload wherever a text can stand."""
    for statement in (_LETTER, _ENTRIES, _OURS, _WORKER, _SOURCE, _ORPHANS):
        await connection.execute(statement, payload)
    await connection.execute(_USERS)


def places(payload: str) -> list[str]:
    """Return every page, also searched for the payload."""
    key = quote(payload[:500])
    searched = [f"/audit?user={key}", f"/audit?type={key}", f"/dead-letters?user={key}&verdict={key}&constraint={key}"]
    return ["/", "/audit", "/audit?event=9", "/dead-letters", "/dead-letters/9", "/events/9", *searched]


@pytest.mark.parametrize("kind", PAYLOADS)
async def test_hostile_value_is_shown_as_text_on_every_page(keeper: Visitor, connection: Connection, kind: str) -> None:
    """Nothing of it becomes markup, no page breaks, and none grows without bound, for who has signed in, too."""
    payload = PAYLOADS[kind]
    await poison(connection, payload)
    await keeper.sign_in(name=payload[:40])

    for place in places(payload):
        shown = await keeper.get(place)
        assert shown.status == 200, (place, shown.text[:2000])
        assert not any(live in shown.text for live in ("<script>", "<img", "<b>", "-->", "onerror=alert(1)>"))
        assert not set(re.sub(r"<[^>]*>", "", shown.text)) & set("\u202e\u2066\u200f\x01\x1b\x7f\ufeff")
        assert 'href="javascript' not in shown.text
        assert len(shown.text) < 500_000


async def test_escaped_value_can_still_be_read(keeper: Visitor, connection: Connection) -> None:
    """What stands there is what was written, sign by sign."""
    await poison(connection, PAYLOADS["script"])

    shown = await keeper.get("/dead-letters/9")

    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown.main


@pytest.mark.parametrize(
    "path",
    [
        "/events/0", "/events/x", "/events/-1", "/events/1e3", "/events/9223372036854775808", f"/events/{'9' * 4000}",
        "/events/%00", "/events/\u0661", "/dead-letters/x", "/dead-letters/9223372036854775807",
    ],
)  # fmt: skip
async def test_event_that_never_was_is_not_found(visitor: Visitor, path: str) -> None:
    """Whatever stands in the place of a number."""
    assert (await visitor.get(path)).status == 404


@pytest.mark.parametrize(
    "query",
    [
        "user=%00", "user=" + "x" * 600, "event=x", "event=99999999999999999999", "after=x", "after=2026-01-01@(0,1)",
        "after=2026-01-01T00:00:00%2B00:00@(99999999999,1)", "after=2026-01-01T00:00:00%2B00:00@(0,99999)",
        "after=2026-01-01T00:00:00%2B00:00@(0,-1)", "after=2026-01-01T00:00:00%2B00:00@(0,1)%27;drop",
    ],
)  # fmt: skip
async def test_search_for_nonsense_is_refused_without_asking_the_database(visitor: Visitor, query: str) -> None:
    """A refusal is a page like any other, and says nothing of the inside."""
    shown = await visitor.get(f"/audit?{query}")

    assert shown.status in {400, 404}
    assert "<h1>" in shown.text


async def test_date_that_no_calendar_has_is_told_and_breaks_nothing(visitor: Visitor, connection: Connection) -> None:
    """A time before the year 1 cannot be read, and the page says so; the next question is answered."""
    await connection.execute(
        "insert into public.error_logs (error_type, severity, message, created_at) values ('X', 'info', 'm', '4000-01-01 BC')"
    )

    shown = await visitor.get("/audit?type=X")

    assert (shown.status, "date value out of range" in shown.main) == (503, True)
    assert (await visitor.get("/")).status == 200


async def test_details_are_shown_as_they_are(visitor: Visitor, connection: Connection) -> None:
    """JSON of whatever shape, laid out and escaped."""
    details = {"a": [1, {"<b>": None}]}
    await connection.execute(
        "insert into public.error_logs (error_type, severity, message, details) values ('X', 'info', 'm', $1)",
        json.dumps(details),
    )

    assert "&#34;&lt;b&gt;&#34;: null" in (await visitor.get("/audit")).main
