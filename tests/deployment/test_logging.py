"""Logs through a real aggregator: rsyslog parses the worker's lines into fields, and they are asked for by query."""

import json
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.aggregator import Aggregator, find_rsyslog
from tests.support.database import Database, create_database, drop_database, sign_up
from tests.support.workload import TOO_LONG, settled
from worker.embedded import Cluster
from worker.store.connection import Connection

HOSTILE = (
    'O\'Hara \\"},\n{"event": "forged", "level": "error"}\r\n\x1b[31m%n%s $!all-json '
    "'); drop table logs.pgmend_lines; --\u2028\t"
)
"""What ends a line, a string, a statement or a template, where somebody puts text into text."""


@pytest.fixture
async def aggregator(cluster: Cluster, tmp_path: Path) -> AsyncIterator[Aggregator]:
    """The daemon at work, with a database of its own as its store."""
    program = find_rsyslog()
    if program is None:
        pytest.skip("there is no rsyslog with its output to Postgres (apt-get install rsyslog rsyslog-pgsql)")
    store = await create_database(cluster)
    aggregator = Aggregator(program, tmp_path, store.url, await store.connect())
    await aggregator.start()
    yield aggregator
    await aggregator.stop()
    await drop_database(store)


async def capture(connection: Connection, correlation: str, **row: object) -> int:
    """Capture an order under a correlation id; return the event's number."""
    async with connection.transaction():
        await connection.execute("select set_config('pgmend.correlation_id', $1, true)", correlation)
        receipt = await connection.fetchval("select pgmend.insert_or_park('public.orders', $1)", json.dumps(row))
    return int(json.loads(receipt)["event_id"])


async def work(aggregator: Aggregator, database: Database, connection: Connection) -> None:
    """Let a worker settle what there is, writing its log to the aggregator, and stop it."""
    worker = await aggregator.run_worker(database.url)
    try:
        await settled(connection)
    finally:
        worker.send_signal(signal.SIGTERM)
        await worker.wait()
    await aggregator.has_all()


async def test_event_is_found_by_its_correlation_id_with_fields_of_their_types(
    aggregator: Aggregator, database: Database, connection: Connection
) -> None:
    """One query finds what became of a request: numbers are numbers, and each line says which worker wrote it and when."""
    event = await capture(connection, "request-7f", user_id=await sign_up(connection), amount=1)
    await work(aggregator, database, connection)

    found = await aggregator.ask(
        """
        select fields ->> 'event', fields ->> 'level', (fields -> 'event_id')::bigint, jsonb_typeof(fields -> 'event_id'),
            jsonb_typeof(fields -> 'duration_ms'), jsonb_typeof(fields -> 'replayed'), fields ->> 'service',
            (fields ->> 'timestamp')::timestamptz > now() - interval '1 minute', fields ->> 'worker_id' <> ''
        from logs.pgmend_lines where fields @> '{"correlation_id": "request-7f"}'
        """
    )
    assert found == [("event_settled", "info", event, "number", "number", "boolean", "pgmend", True, True)]


async def test_dead_letters_are_found_by_level_and_say_what_would_help(
    aggregator: Aggregator, database: Database, connection: Connection
) -> None:
    """Who looks for warnings finds the user whose profile cannot be made, with verdict, SQLSTATE and hint."""
    key = await sign_up(connection, name=TOO_LONG)
    await work(aggregator, database, connection)

    found = await aggregator.ask(
        """
        select fields ->> 'user_key', fields ->> 'verdict', fields ->> 'sqlstate', (fields -> 'attempt')::int,
            fields ->> 'hint' like '%profiles_name_is_short%'
        from logs.pgmend_lines where fields @> '{"event": "event_dead_lettered", "level": "warning"}'
        """
    )
    assert found == [(key, "needs_recipe", "23514", 1, True)]


async def test_hostile_text_stays_inside_its_field(aggregator: Aggregator, database: Database, connection: Connection) -> None:
    """A correlation id that would end the line, the string or the statement arrives whole, in one line, and forges nothing."""
    await connection.execute("alter table public.profiles drop constraint if exists profiles_name_is_short")
    event = await capture(connection, HOSTILE, user_id=await sign_up(connection, name=HOSTILE), amount=1)
    await work(aggregator, database, connection)

    found = await aggregator.ask(
        "select (fields -> 'event_id')::bigint from logs.pgmend_lines where fields ->> 'correlation_id' = $1", HOSTILE
    )
    assert found == [(event,)]
    assert await aggregator.has_all() == len(aggregator.log.read_bytes().splitlines())
    assert await aggregator.ask("select count(*) from logs.pgmend_lines where fields ->> 'event' in ('forged', 'text')") == [(0,)]


async def test_no_line_has_a_value_of_a_row_nor_what_a_trigger_says(
    aggregator: Aggregator, database: Database, connection: Connection
) -> None:
    """A trigger refuses the row and quotes it in several lines: name, address, captured values and its text are in no field."""
    await connection.execute(
        """
        create function public.refuse() returns trigger language plpgsql as
        $$ begin raise exception E'refused\n%\npassword = hunter2', to_json(new); end $$;
        create trigger refuse before insert on public.orders for each row execute function public.refuse()
        """
    )
    key = await sign_up(connection, "grace@example.org", "Grace Hopper")
    row = json.dumps({"user_id": key, "amount": 98765.43})
    await connection.fetchval("select pgmend.report_failed_insert('public.orders', $1, 'fk_orders_user_id')", row)
    await work(aggregator, database, connection)

    kept = str(await aggregator.ask("select fields::text from logs.pgmend_lines"))
    assert '"sqlstate": "P0001"' in kept
    assert not [value for value in ("grace@example.org", "Grace Hopper", "98765", "hunter2") if value in kept]


async def test_name_of_many_lines_is_one_line(aggregator: Aggregator, database: Database, connection: Connection) -> None:
    """A constraint whose name would end the line and begin another stands whole in the hint of one line."""
    name = 'short\n{"event": "forged"}'
    quoted = name.replace('"', '""')
    await connection.execute(f'alter table public.profiles add constraint "{quoted}" check (char_length(name) < 5)')
    key = await sign_up(connection, name="Grace Hopper")
    await work(aggregator, database, connection)

    found = await aggregator.ask(
        "select fields ->> 'user_key' from logs.pgmend_lines where strpos(fields ->> 'hint', $1) > 0", name
    )
    assert found == [(key,)]
    assert await aggregator.ask("select count(*) from logs.pgmend_lines where fields ->> 'event' in ('forged', 'text')") == [(0,)]


async def test_refusal_is_kept_as_text(aggregator: Aggregator, database: Database) -> None:
    """What is no JSON object, the one line of a worker that cannot start, is found as well."""
    await (await database.connect()).execute("drop schema pgmend cascade")
    worker = await aggregator.run_worker(database.url)
    await worker.wait()

    found = await aggregator.ask("select fields ->> 'text' from logs.pgmend_lines where fields @> '{\"event\": \"text\"}'")
    assert len(found) == 1
    assert "run pgmend migrate" in str(found[0])
