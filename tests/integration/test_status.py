"""Status: what a person on call sees at a glance equals what SQL counts."""

from itertools import pairwise

import pytest

from tests.support.database import count, sign_up
from tests.support.workload import park_order
from worker import pipeline
from worker.pipeline import Path
from worker.store import integrity, status, workers
from worker.store.connection import Connection
from worker.store.workers import Identity

TOO_LONG = "x" * 121
WAITED = """update public.error_logs set details = details || '{"waited_ms": 250}' where details ? 'waited_ms'"""


async def test_status_counts_what_waits_in_each_lane(connection: Connection) -> None:
    """Events of both lanes, and the age of the oldest."""
    await park_order(connection, await sign_up(connection))
    await connection.execute("update pgmend.express_events set created_at = created_at - interval '1 hour'")

    backlog = (await status.seen(connection)).backlog

    assert (backlog.express, backlog.careful, backlog.events, backlog.is_more) == (1, 1, 2, False)
    assert backlog.oldest_age is not None
    assert backlog.overdue is not None
    assert 3600 <= backlog.overdue <= backlog.oldest_age < 3700


async def test_status_says_that_there_is_more_than_was_counted(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """No outbox is counted to its end: a bound and one more, and the word that there is more."""
    await connection.execute(
        "insert into pgmend.express_events (source_id, user_key) select 1, n::text from generate_series(1, 12) as n"
    )
    monkeypatch.setattr(status, "EVENTS_COUNTED", 10)

    backlog = (await status.seen(connection)).backlog

    assert backlog.express == 11
    assert backlog.is_more


async def test_status_of_a_paused_source_calls_nothing_overdue(connection: Connection) -> None:
    """What waits for a person is not the worker's delay; the source is named, with the reason."""
    await sign_up(connection)
    await connection.execute("select pgmend.pause_source(1, 'a person looks')")

    seen = await status.seen(connection)

    assert (seen.backlog.express, seen.backlog.overdue) == (1, None)
    assert [(it.source_id, it.users_table, it.paused_because) for it in seen.paused] == [(1, "users", "a person looks")]


async def test_status_counts_what_the_last_hour_has_healed_and_replayed(connection: Connection, path: Path) -> None:
    """Each minute as the audit has it, with the time to integrity that the entries carry."""
    for _ in range(3):
        await park_order(connection, await sign_up(connection))
    while (await pipeline.turn(path)).more:
        pass
    await connection.execute(WAITED)
    await connection.execute(
        "insert into public.error_logs (error_type, severity, message, created_at) "
        "values ('MISSING_PROFILE_CREATED', 'info', '', now() - interval '2 hours')"
    )

    minutes = (await status.seen(connection)).minutes

    assert (len(minutes), sum(it.healed for it in minutes), sum(it.replayed for it in minutes)) == (60, 3, 3)
    assert {(it.p50_ms, it.p99_ms) for it in minutes if it.healed} == {(250.0, 250.0)}
    assert all(a.began < b.began for a, b in pairwise(minutes))


async def test_status_counts_dead_letters_by_verdict(connection: Connection, path: Path) -> None:
    """Each verdict with its number and the hint of the newest, the most frequent first."""
    await park_order(connection, await sign_up(connection, name=TOO_LONG))
    await pipeline.turn(path)
    await connection.execute(
        "insert into pgmend.dead_letters (event_id, source_id, kind, user_key, verdict, message, hint) "
        "values (nextval('pgmend.event_ids'), 1, 'user_created', 'nobody', 'exhausted', '', 'look')"
    )

    letters = (await status.seen(connection)).letters

    assert [(it.verdict, it.letters, it.is_more) for it in letters] == [("needs_recipe", 2, False), ("exhausted", 1, False)]
    assert "recipe" in letters[0].hint
    assert await count(connection, "pgmend.dead_letters") == sum(it.letters for it in letters)


async def test_status_names_workers_and_what_sweeps_found(connection: Connection) -> None:
    """A heartbeat that is old is told as old; a find names its source."""
    await workers.seen(connection, Identity("a", "host", 7, "0.1"), listening=True)
    await connection.execute("update pgmend.workers set seen_at = seen_at - interval '1 minute'")
    await connection.execute(
        "insert into public.error_logs (error_type, severity, message, details) "
        "values ('USERS_WITHOUT_PROFILE_DETECTED', 'warning', '', '{\"source_id\": 1, \"users\": 5}')"
    )

    seen = await status.seen(connection)

    assert [(it.worker_id, it.state, round(it.seen_ago, -1)) for it in seen.workers] == [("a", "silent", 60)]
    assert [(it.source_id, it.users) for it in seen.finds] == [(1, 5)]


async def test_worker_of_whom_nothing_was_heard_for_a_day_is_no_news(connection: Connection) -> None:
    """Hosts come and go."""
    await connection.execute(
        "insert into pgmend.workers (worker_id, host, pid, version, listening, seen_at, stopped_at)"
        "values ('old', 'pod-1', 1, '0', true, now() - interval '2 days', now() - interval '2 days')"
    )

    assert (await status.seen(connection)).workers == ()


async def test_status_reads_what_the_sweep_has_counted(connection: Connection) -> None:
    """Coverage and debt by source, orphans by reference: as they were counted last, and None before that."""
    await sign_up(connection)
    before = await status.seen(connection)
    await connection.execute("insert into pgmend.orphan_counts values ('a.b=c.d', 'a', null, 3, now(), now())")
    await integrity.count_users(connection, 1)

    seen = await status.seen(connection)

    assert (before.sources[0].coverage, before.debt, before.orphans) == (None, 0, ())
    assert (seen.sources[0].users, seen.sources[0].without_profile, seen.sources[0].coverage, seen.debt) == (1, 1, 0.0, 1)
    assert [(it.reference, it.orphans) for it in seen.orphans] == [("a.b=c.d", 3)]
