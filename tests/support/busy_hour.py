"""An hour in the life of an installation, written into the tables as the worker would have left it."""

from tests.support.database import sign_up
from tests.support.workload import TOO_LONG
from worker import pipeline
from worker.pipeline import Path
from worker.store import integrity
from worker.store.connection import Connection

_HEALED = """
    select setseed(0.42);
    insert into public.error_logs (error_type, severity, user_id, message, details, attempt, event_id, created_at)
    select
        'MISSING_PROFILE_CREATED', 'info', gen_random_uuid()::text, 'the missing profile was created',
        jsonb_build_object(
            'verdict', 'healed', 'lane', 'express', 'source_id', 1,
            'waited_ms', round((4 * exp(random() * 2.2 + case when minute between 21 and 26 then 2.6 else 0 end))::numeric, 1)
        ),
        1, 1000000 + minute * 100 + n, date_trunc('minute', now()) - make_interval(mins => minute) + interval '1 second'
    from generate_series(1, 59) as minute
    cross join lateral generate_series(1, (8 + 22 * (1 + sin(minute / 7.0)) + random() * 14)::integer) as n;
    insert into public.error_logs
    (error_type, severity, user_id, table_name, constraint_name, message, details, attempt, event_id, created_at)
    select
        'INSERT_REPLAYED', 'info', gen_random_uuid()::text, 'public.orders', 'fk_orders_user_id',
        'the captured insert was replayed', '{"verdict": "healed", "waited_ms": 812}', 1, 2000000 + minute * 100 + n,
        date_trunc('minute', now()) - make_interval(mins => minute) + interval '2 seconds'
    from generate_series(1, 59) as minute
    cross join lateral generate_series(1, (random() * 7)::integer) as n
"""

_WHOLE = """
    set session_replication_role = replica;
    insert into public.users (email) select 'user' || n || '@example.org' from generate_series(1, 12440) as n;
    insert into public.profiles (id, name) select id, split_part(email, '@', 1) from public.users;
    set session_replication_role = origin
"""

_AT_WORK = """
    insert into pgmend.workers (worker_id, host, pid, version, listening, started_at)
    values
        ('app-7c9f-1-4be1d0', 'app-7c9f', 1, '0.1.0', true, now() - interval '3 days 4 hours'),
        ('app-9d2a-1-0c77ae', 'app-9d2a', 1, '0.1.0', true, now() - interval '26 minutes')
"""


async def live_an_hour(connection: Connection, path: Path) -> None:
    """Two workers are at work, users were healed all the time, and everybody is whole."""
    await connection.execute(_WHOLE)
    for number in range(40):
        await sign_up(connection, f"new{number}@example.org")
    await pipeline.turn(path)
    await connection.execute(_HEALED)
    await connection.execute(_AT_WORK)
    await integrity.count_users(connection, 1)


async def meet_trouble(connection: Connection, path: Path) -> int:
    """Two users sign up whose profiles the database refuses, and an order of one waits; return the event of the last."""
    await sign_up(connection, "grace@example.org", TOO_LONG)
    key = await sign_up(connection, "edsger@example.org", TOO_LONG)
    await connection.execute(
        "select pgmend.insert_or_park('public.orders', jsonb_build_object('user_id', $1::text, 'amount', 9.90))".replace(
            "$1", f"'{key}'"
        )
    )
    for _ in range(3):
        await connection.execute("update pgmend.careful_events set available_at = clock_timestamp()")
        await pipeline.turn(path)
    await integrity.count_users(connection, 1)
    return int(await connection.fetchval("select max(event_id) from pgmend.dead_letters"))


async def mend(connection: Connection, path: Path) -> None:
    """Mend what was wrong with those two, as a person would, and send their dead letters back."""
    await connection.execute("update public.users set full_name = 'Grace' where full_name is not null")
    await connection.execute("select pgmend.requeue(array(select event_id from pgmend.dead_letters))")
    await pipeline.turn(path)
    await pipeline.turn(path)
