"""Operating at three in the morning, with 100,000 dead letters and 10 million audit entries.

The statements that commands and page rest on, each beside a look-up by the primary key of the same table, in turn, on one warm
connection; then the page and the metrics of a real worker over HTTP, and commands as processes, each beside what takes the same
way and asks no database. A person waits a second at most.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

from bench import on_call
from bench.application import Filling
from bench.laboratory import Laboratory, connected
from bench.on_call import Question
from bench.picture import Bar, Bars, Group
from bench.report import Comparison, Figure, Report, Target
from bench.rounds import Lane, Rounds, interleave
from worker.core.dead_letter import LetterFilter
from worker.core.recorded_entry import AuditFilter
from worker.store import audit_trail, dead_letters, status, stories
from worker.store.connection import Connection

NAME = "operating"
UNIT = "ms"
AUDIT_REFERENCE = "audit entry by its key"
LETTERS_REFERENCE = "dead letter by its key"
HUMAN = Target(1.0, at_most=True)
"""Against a second."""

PAGE = 50
ASKED = 20
"""Questions of a kind in one round, each about another user, event or time."""

INDEXES = """
select
    string_agg(pg_get_indexdef(indexrelid), '; ') as make,
    string_agg(format('drop index %s', indexrelid::regclass), '; ') as drop
from pg_index where indrelid = 'public.error_logs'::regclass and not indisprimary
"""
# Thirty days, a twentieth of it in the last hour; five entries a user, one event an entry; one in a thousand of a rare type.
ENTRIES = """
insert into public.error_logs (error_type, severity, user_id, message, details, attempt, event_id, created_at)
select
    case when n % 1000 = 0 then 'SOURCE_PAUSED' when n % 50 = 0 then 'EVENT_DEAD_LETTERED' when n % 20 = 0 then 'INSERT_REPLAYED'
        else 'MISSING_PROFILE_CREATED' end,
    'info', md5((n % ({rows} / 5))::text)::uuid::text, 'the missing profile was created',
    jsonb_build_object('verdict', 'healed', 'source_id', 1, 'lane', 'express', 'waited_ms', n % 100), 1, n,
    now() - case
        when n > {rows} * 0.95 then ({rows} - n) * interval '1 hour' / ({rows} * 0.05)
        else interval '1 hour' + ({rows} * 0.95 - n) * interval '30 days' / ({rows} * 0.95)
    end
from generate_series(1, {rows}) as n
"""
# What nobody settles for a day, so that the worker beside it has nothing to do.
WAITING = """
insert into pgmend.careful_events (
    event_id, source_id, kind, user_key, referencing_table, constraint_name, row_image, writer_role, user_seen, available_at
)
select
    {after} + n, 1, 'insert_failed', md5(n::text)::uuid::text, 'public.orders'::regclass, 'fk_orders_user_id',
    jsonb_build_object('user_id', md5(n::text)::uuid::text, 'amount', n::text), current_user, false, now() + interval '1 day'
from generate_series(1, {events}) as n
"""
LETTERS = """
insert into pgmend.dead_letters (
    event_id, source_id, kind, user_key, referencing_table, constraint_name, row_image, writer_role, verdict, sqlstate,
    message, hint, failed_constraint, user_seen
)
select
    n, 1, 'insert_failed', md5(n::text)::uuid::text, 'public.orders', 'fk_orders_user_id',
    jsonb_build_object('user_id', md5(n::text)::uuid::text, 'amount', n::text, 'note', repeat('x', 300)), current_user,
    case when n % 1000 = 0 then 'refused' else 'needs_recipe' end, '23514', 'refused', 'mend it',
    case when n % 1000 = 0 then 'orders_amount_is_positive' else 'profiles_name_is_short' end, false
from generate_series(1, {letters}) as n
"""


async def measure(laboratory: Laboratory) -> Report:
    """Fill both tables set-wise, then ask in turn."""
    rows, letters = laboratory.size(10_000_000, 20_000), laboratory.size(100_000, 2_000)
    url = laboratory.cluster.url(await laboratory.prepare(Filling()))
    async with connected(url) as connection:
        await _fill(connection, rows, letters)
        asked = {AUDIT_REFERENCE: _of_the_audit(connection, rows), LETTERS_REFERENCE: _of_the_letters(connection, letters)}
        async with on_call.served(url, rows, letters) as pages:
            waited_for = {on_call.PAGE_REFERENCE: pages, on_call.COMMAND_REFERENCE: on_call.commands(url)}
            lanes = {name: _timed(question) for group in asked.values() for name, question in group.items()}
            lanes |= {name: _unremembered(question) for group in waited_for.values() for name, question in group.items()}
            rounds = await interleave(laboratory.size(9, 1), lanes)
    compare = Comparison(rounds, UNIT)
    figures = [compare.figure(name, name, keyed) for keyed, group in {**asked, **waited_for}.items() for name in group]
    slowest = max(rounds.median(name) for group in waited_for.values() for name in group)
    figures.append(Figure("the slowest of page and commands: against a second", UNIT, slowest, 1000, slowest / 1000, HUMAN))
    note = f"one question, {rows:,} audit entries and {letters:,} dead letters, median of the rounds (ticks)"
    return Report(NAME, figures, picture(rounds, note), rounds.values)


def picture(rounds: Rounds, note: str) -> Bars:
    """Draw all but the commands, beside whose start nothing else would be seen."""
    references = {AUDIT_REFERENCE, LETTERS_REFERENCE, on_call.PAGE_REFERENCE}
    shown = [name for name in rounds.values if not name.startswith("pgmend ")]
    return Bars("Operating", note, UNIT, [Group("", [_bar(rounds, name, references) for name in shown])])


def _bar(rounds: Rounds, name: str, references: set[str]) -> Bar:
    return Bar(name, rounds.median(name), "reference" if name in references else "ours", rounds.values[name])


async def _fill(connection: Connection, rows: int, letters: int) -> None:
    index = await connection.fetchrow(INDEXES)
    assert index is not None
    await connection.execute(index["drop"])
    await connection.execute(ENTRIES.format(rows=rows))
    await connection.execute(index["make"])
    await connection.execute(LETTERS.format(letters=letters))
    await connection.execute(WAITING.format(events=letters // 10, after=rows))
    await connection.execute(f"select setval('pgmend.event_ids', {rows + letters})")
    for table in ("public.error_logs", "pgmend.dead_letters", "pgmend.careful_events"):
        await connection.execute(f"vacuum analyze {table}")


def _of_the_audit(connection: Connection, rows: int) -> dict[str, Question]:
    async def by_key(n: int) -> object:
        return await connection.fetchrow("select * from public.error_logs where id = $1", 1 + n * 7919 % rows)

    async def searched(wanted: Callable[[int], dict[str, Any]], n: int) -> object:
        return await audit_trail.search(connection, AuditFilter(**wanted(n)), limit=PAGE)

    users: list[str] = []

    async def of_user(n: int) -> object:
        if not users:
            users.extend([row[0] for row in await connection.fetch("select distinct user_id from public.error_logs limit 500")])
        return await searched(lambda it: {"user_id": users[it % len(users)]}, n)

    return {
        AUDIT_REFERENCE: by_key,
        "status": lambda _: status.seen(connection),
        "audit, newest page": partial(searched, lambda _: {}),
        "audit of a user": of_user,
        "audit of an event": partial(searched, lambda n: {"event_id": 1 + n * 104729 % rows}),
        "audit of a rare type": partial(searched, lambda _: {"error_type": "SOURCE_PAUSED"}),
        "audit before a time": partial(searched, lambda n: {"until": datetime.now(UTC) - timedelta(hours=1 + n % 600)}),
        "story of an event": lambda n: stories.story(connection, 1 + n * 104729 % rows),
    }


def _of_the_letters(connection: Connection, letters: int) -> dict[str, Question]:
    async def by_key(n: int) -> object:
        return await connection.fetchrow("select * from pgmend.dead_letters where event_id = $1", 1 + n * 7919 % letters)

    async def listed(wanted: LetterFilter, _: int) -> object:
        return await dead_letters.listed(connection, wanted, limit=PAGE)

    return {
        LETTERS_REFERENCE: by_key,
        "dead letters, newest page": partial(listed, LetterFilter()),
        "dead letters of a rare verdict": partial(listed, LetterFilter(verdict="refused")),
        "dead letters of a rare constraint": partial(listed, LetterFilter(constraint="orders_amount_is_positive")),
        "dead letters of a user who has none": partial(listed, LetterFilter(user_key="nobody")),
        "one dead letter": lambda n: dead_letters.one(connection, 1 + n * 7919 % letters),
    }


def _timed(question: Question) -> Lane:
    """Return a lane that asks a few times and gives the milliseconds of one question."""
    numbers = count(1)

    async def run() -> float:
        started = time.perf_counter()
        for _ in range(ASKED):
            await question(next(numbers))
        return (time.perf_counter() - started) * 1000 / ASKED

    return run


def _unremembered(question: Question) -> Lane:
    """Return a lane that asks once, when nothing is remembered of the last time."""
    numbers = count(1)

    async def run() -> float:
        return await on_call.once(question, next(numbers))

    return run
