"""The page's numbers are SQL's, and what they cost is bounded."""

import re
from collections.abc import Awaitable, Callable

import pytest

from tests.support.broken import CONDITION
from tests.support.busy_hour import live_an_hour, meet_trouble
from tests.support.database import count, sign_up
from tests.support.letters import dead_order
from tests.support.paged import Visitor
from worker import pipeline
from worker.core.decision import LETTER_VERDICTS
from worker.counting import count as count_integrity
from worker.pipeline import Path
from worker.store import connection as connections
from worker.store import integrity
from worker.store.connection import Connection, Target
from worker.web import reader


@pytest.fixture
def queries(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement that the page has sent so far."""
    sent: list[str] = []

    async def connect(target: Target) -> Connection:
        connection = await connections.connect(target)
        connection.add_query_logger(lambda record: sent.append(record.query))
        return connection

    monkeypatch.setattr(reader, "connect", connect)
    return sent


def figures(text: str) -> dict[str, str]:
    """Return the large numbers of the overview by their labels."""
    return dict(re.findall(r'<dt>([^<]+)</dt><dd class="value[^"]*">([^<]+)</dd>', text))


async def test_figures_are_what_sql_counts(visitor: Visitor, connection: Connection, path: Path) -> None:
    """Coverage, debt, dead letters, outbox, effects of the hour."""
    await live_an_hour(connection, path)
    await meet_trouble(connection, path)
    await sign_up(connection, "waiting@example.org")
    users = await count(connection, "public.users where deleted_at is null") - 1
    missing = (
        await count(connection, "public.users where not exists (select from public.profiles where profiles.id = users.id)") - 1
    )

    text = (await visitor.get("/")).text
    shown = figures(text)

    assert f"of {users:,} users" in text
    assert shown["Without profile"] == f"{missing:,}"
    assert shown["Coverage"].startswith(f"{int((1 - missing / users) * 10_000) / 100:.2f}".rstrip("0"))
    assert shown["Dead letters"] == f"{await count(connection, 'pgmend.dead_letters'):,}"
    assert shown["Outbox"] == f"{await count(connection, 'pgmend.outbox'):,}" == "1"


async def test_table_of_the_hour_is_what_the_audit_says(visitor: Visitor, connection: Connection, path: Path) -> None:
    """Minute by minute, and in all."""
    await live_an_hour(connection, path)
    hour = "created_at >= date_trunc('minute', now()) - interval '59 minutes'"
    healed = await count(connection, f"public.error_logs where error_type = 'MISSING_PROFILE_CREATED' and {hour}")
    replayed = await count(connection, f"public.error_logs where error_type = 'INSERT_REPLAYED' and {hour}")

    text = (await visitor.get("/")).text

    assert f"{healed:,} profiles healed and {replayed:,} inserts replayed in the last hour" in text
    rows = re.findall(r'</time></th><td class="number">([\d,]+)</td><td class="number">([\d,]+)</td>', text)
    assert sum(int(row[0].replace(",", "")) for row in rows) == healed
    assert sum(int(row[1].replace(",", "")) for row in rows) == replayed


async def test_whole_is_said_only_of_the_whole(visitor: Visitor, connection: Connection, path: Path) -> None:
    """The first sentence is that of the counts, and each trouble names the command that mends it."""
    await live_an_hour(connection, path)
    whole = (await visitor.get("/")).main
    await meet_trouble(connection, path)
    visitor.clock.now += 5
    broken = (await visitor.get("/")).main

    assert "<h1 data-state>Users are whole.</h1>" in whole
    assert "pgmend " not in whole
    assert "<h1 data-state>2 users are not whole.</h1>" in broken
    assert "pgmend heal --all" in broken
    assert "pgmend dead-letters list" in broken


async def test_users_who_have_just_signed_up_in_a_crowd_are_not_called_whole(visitor: Visitor, connection: Connection) -> None:
    """They are no debt yet, and nobody says of a table without profiles that its users are whole."""
    await connection.execute("insert into public.users (email) select 'new' || n from generate_series(1, 10) as n")
    await integrity.count_users(connection, 1)

    text = (await visitor.get("/")).main

    assert "<h1 data-state>10 users were on the way to a profile when they were counted.</h1>" in text


async def test_workers_that_went_silent_or_stopped_are_not_called_alive(visitor: Visitor, connection: Connection) -> None:
    """Each row says what is known of it now, not what it said last."""
    await connection.execute(
        """
        insert into pgmend.workers (worker_id, host, pid, version, listening, seen_at, stopped_at)
        values ('a', 'h', 1, '0', true, now(), null), ('b', 'h', 2, '0', false, now(), null),
            ('c', 'h', 3, '0', true, now() - interval '6 minutes', null), ('d', 'h', 4, '0', true, now(), now())
        """
    )

    workers = (await visitor.get("/")).main.partition('id="workers"')[2]

    assert "2 of 4 alive" in workers
    assert [workers.count(said) for said in ("hears it", "polls", "is silent", "has stopped")] == [1, 1, 1, 1]


async def test_paused_source_orphans_and_missing_workers_are_said(visitor: Visitor, connection: Connection) -> None:
    """Whatever keeps users from being whole stands on top, with its command."""
    await connection.execute("update pgmend.profile_sources set paused_at = now(), paused_because = 'a restore'")
    await connection.execute(
        "insert into pgmend.orphan_counts values ('orders.user_id=profiles.id', 'orders', null, 12, now(), now())"
    )
    await integrity.count_users(connection, 1)

    text = (await visitor.get("/")).main

    assert "Users are whole, but 12 rows lead nowhere." in text
    assert "is paused: a restore" in text
    assert "then pgmend resume --source 1" in text
    for command in ("pgmend diagnose", "pgmend run"):
        assert f'<code class="command">{command}</code>' in text


async def test_users_of_a_source_that_fails_are_not_called_whole(visitor: Visitor, connection: Connection) -> None:
    """The counts are those of before and say so; nobody is sent to heal what cannot be healed."""
    await sign_up(connection)
    await connection.execute("update pgmend.express_events set created_at = created_at - interval '1 hour'")
    await count_integrity(connection)
    await connection.execute(CONDITION)
    await count_integrity(connection)

    text = (await visitor.get("/")).main

    assert "<h1 data-state>Nobody knows whether users are whole: healing fails.</h1>" in text
    assert "1 user without a profile when they were counted last" in text
    assert "column users.deleted_at does not exist" in text
    assert '<code class="command">pgmend doctor</code>' in text
    assert "pgmend heal" not in text


async def test_who_looks_at_a_paused_source_is_sent_to_look_and_not_to_heal(visitor: Visitor, connection: Connection) -> None:
    """Nothing can be healed meanwhile, and what was lost may come back from a backup."""
    await sign_up(connection)
    await connection.execute("update pgmend.express_events set created_at = created_at - interval '1 hour'")
    await count_integrity(connection)
    await connection.execute("select pgmend.pause_source(1, 'a sweep found 9 of 9 users without a profile')")

    text = (await visitor.get("/")).main

    assert "Find out first where the profiles went; then pgmend resume --source 1" in text
    assert "pgmend heal" not in text


async def test_nobody_is_called_whole_before_anybody_has_counted(visitor: Visitor, connection: Connection) -> None:
    """No sweep, no claim."""
    await connection.execute("delete from pgmend.user_counts")

    assert "Nobody has counted yet." in (await visitor.get("/")).main


Fill = Callable[[Connection], Awaitable[object]]


MOST = {"/": 4, "/audit": 4, "/dead-letters": 4, "/dead-letters/{}": 4, "/events/{}": 9}


@pytest.mark.parametrize("place", MOST)
async def test_page_asks_a_bounded_number_of_questions(
    visitor: Visitor, connection: Connection, path: Path, queries: list[str], place: str
) -> None:
    """As many with one row as with thousands; begin, limits and commit included."""
    event_id = await dead_order(connection, path)
    await visitor.get("/")
    few = await cost(visitor, place.format(event_id), queries)
    await live_an_hour(connection, path)

    assert few <= MOST[place]
    assert await cost(visitor, place.format(event_id), queries) == few


async def cost(visitor: Visitor, place: str, queries: list[str]) -> int:
    """Return how many statements one look takes, once what was read for others is old."""
    assert (await visitor.get(place)).status == 200  # the driver asks once for what it does not know of types
    visitor.clock.now += 5
    queries.clear()
    assert (await visitor.get(place)).status == 200
    return len(queries)


async def test_tabs_share_what_was_just_read(visitor: Visitor, queries: list[str]) -> None:
    """A second look at the overview within a second asks nothing."""
    await visitor.get("/")
    queries.clear()
    await visitor.get("/")

    assert queries == []


async def test_every_question_is_read_only_and_short(
    visitor: Visitor, connection: Connection, path: Path, queries: list[str]
) -> None:
    """Each runs in a transaction that cannot write, and under a limit of its own that ends with it."""
    event_id = await dead_order(connection, path)
    for place in ("/", "/audit", "/dead-letters", f"/dead-letters/{event_id}", f"/events/{event_id}"):
        queries.clear()
        await visitor.get(place)
        assert "READ ONLY" in queries[0]
        assert "statement_timeout" in queries[1]
        assert queries[-1] == "COMMIT;"


async def test_audit_is_turned_page_by_page_without_loss(visitor: Visitor, connection: Connection) -> None:
    """Each entry once, newest first, also where many have the same time; the search stays."""
    await connection.execute(
        "insert into public.error_logs (error_type, severity, message, user_id, created_at) "
        "select 'X', 'info', 'entry <' || n || '>', 'ada', '2026-01-01'::timestamptz + (n / 40) * interval '1 s' "
        "from generate_series(1, 130) as n"
    )
    seen: list[str] = []
    place = "/audit?user=ada"
    while place and len(seen) <= 130:
        text = (await visitor.get(place)).main
        seen += re.findall(r"entry &lt;(\d+)&gt;", text)
        following = re.search(r'href="([^"]+)" rel="next"', text)
        place = following[1].replace("&amp;", "&") if following else ""

    assert len(seen) == 130
    assert set(seen) == {str(number) for number in range(1, 131)}


async def test_audit_is_searched_by_user_event_and_type(visitor: Visitor, connection: Connection, path: Path) -> None:
    """Each alone and together."""
    event_id = await dead_order(connection, path)
    user = str(await connection.fetchval("select user_key from pgmend.dead_letters where event_id = $1", event_id))
    await connection.execute("insert into public.error_logs (error_type, severity, message) values ('OTHER', 'info', 'not this')")

    for query in (
        f"user={user}",
        f"event={event_id}",
        "type=EVENT_DEAD_LETTERED",
        f"user={user}&event={event_id}&type=EVENT_DEAD_LETTERED",
    ):
        text = (await visitor.get(f"/audit?{query}")).main
        assert "EVENT_DEAD_LETTERED" in text
        assert "not this" not in text
    assert "No entry fits." in (await visitor.get(f"/audit?user={user}&type=OTHER")).main


async def test_dead_letters_are_turned_page_by_page(visitor: Visitor, connection: Connection) -> None:
    """Fifty a page, newest first, by verdict."""
    await connection.execute(
        "insert into pgmend.dead_letters (event_id, source_id, kind, user_key, verdict, message, hint) "
        "select n, 1, 'user_created', 'u' || n, case when n % 2 = 0 then 'refused' else 'needs_recipe' end, 'm', 'h' "
        "from generate_series(1, 130) as n"
    )
    first = await visitor.get("/dead-letters?verdict=refused")
    following = re.search(r'href="([^"]+)" rel="next"', first.text)
    assert following
    second = await visitor.get(following[1].replace("&amp;", "&"))

    numbers = [int(it) for text in (first.text, second.text) for it in re.findall(r'href="/dead-letters/(\d+)"', text)]
    assert numbers == list(range(130, 0, -2))


async def test_story_tells_an_event_from_capture_to_acknowledge(visitor: Visitor, connection: Connection, path: Path) -> None:
    """Captured, set aside, sent back by a person, replayed: in that order, on one page."""
    event_id = await dead_order(connection, path)
    await connection.execute(
        "update public.users set full_name = 'Ada'; select pgmend.requeue(array(select event_id from pgmend.dead_letters))"
    )
    await pipeline.turn(path)

    text = (await visitor.get(f"/events/{event_id}")).main

    told = re.findall(r'class="type"[^>]*>(\w+)<', text)
    assert told == [
        "FOREIGN_KEY_VIOLATION_CAPTURED",
        "EVENT_DEAD_LETTERED",
        "DEAD_LETTER_REQUEUED",
        "MISSING_PROFILE_CREATED",
        "INSERT_REPLAYED",
    ]
    assert "the event is settled" in text


async def test_list_of_letters_offers_the_verdicts_that_letters_have(visitor: Visitor) -> None:
    """Not those with which an event is settled, or waits."""
    shown = await visitor.get("/dead-letters")

    assert re.findall('<option value="(.*?)">', shown.text) == list(LETTER_VERDICTS)
