"""Traces: where a traceparent is taken from, and what the log and the audit say of it."""

import json
from functools import partial
from io import StringIO
from typing import Any

import pytest

from tests.support.database import count, sign_up
from tests.support.traces import Request, say, sign_up_for
from tests.support.workload import TOO_LONG, park_order, report_order
from worker import pipeline
from worker.pipeline import Path
from worker.store.connection import Connection

REQUEST = Request()
TRACEPARENT = REQUEST.traceparent

HOSTILE = {
    "a megabyte": "x" * 1_000_000,
    "a megabyte of traceparents": TRACEPARENT * 18_000,
    "end of a line": f'{TRACEPARENT}\n{{"event": "forged"}}\r\u2028',
    "upper case": TRACEPARENT.upper(),
    "no version": f"ff{TRACEPARENT[2:]}",
    "one more field": f"{TRACEPARENT}-00",
    "trace of zeros": TRACEPARENT.replace(REQUEST.trace_id, "0" * 32),
    "addresses without end": "x://a:" * 100_000,
}


def lines_about(log_lines: StringIO, key: str) -> list[dict[str, Any]]:
    """Return the log lines about a user."""
    lines = [json.loads(line) for line in log_lines.getvalue().splitlines()]
    return [line for line in lines if line.get("user_key") == key]


async def order_under(mode: str, connection: Connection, key: str) -> None:
    """Insert an order as an application does that knows nothing of pgmend, under a guard of that mode."""
    await connection.execute(f"select pgmend.guard('public.orders', 'fk_orders_user_id', mode => '{mode}')")
    await connection.execute("insert into public.orders (user_id, amount) values ($1, 10)", key)


@pytest.mark.parametrize("capture", [park_order, report_order, partial(order_under, "park"), partial(order_under, "ensure")])
@pytest.mark.parametrize("setting", ["pgmend.correlation_id", "pgmend.traceparent"])
async def test_traceparent_is_kept_by_every_capture_under_either_name(connection: Connection, setting: str, capture: Any) -> None:
    """Captured by a function or by a guard, or made whole in the insert itself: the audit names the request."""
    key = await sign_up(connection)
    await say(connection, TRACEPARENT, setting=setting)
    await capture(connection, key)

    assert await count(connection, "public.error_logs where user_id = $1 and correlation_id = $2", key, TRACEPARENT) == 1


async def test_correlation_id_goes_before_the_traceparent(connection: Connection) -> None:
    """An application that says both is known by the name that it has chosen itself."""
    key = await sign_up(connection)
    await say(connection, TRACEPARENT, setting="pgmend.traceparent")
    await say(connection, "request-7")
    await report_order(connection, key)

    assert await connection.fetchval("select correlation_id from pgmend.outbox where kind = 'insert_failed'") == "request-7"


async def test_sign_up_reads_the_correlation_id_alone(connection: Connection) -> None:
    """One more setting would cost every sign-up: there the traceparent is given as the correlation id, or it is not kept."""
    await say(connection, TRACEPARENT, setting="pgmend.traceparent")
    await sign_up(connection)
    assert await connection.fetchval("select nullif(correlation_id, '') from pgmend.outbox") is None

    await sign_up_for(connection, REQUEST)
    assert await count(connection, "pgmend.outbox where correlation_id = $1", TRACEPARENT) == 1


async def test_log_names_trace_and_span_beside_the_correlation_id(
    connection: Connection, path: Path, log_lines: StringIO
) -> None:
    """Settled, released or dead: every line about an event of a request can be found by its trace."""
    settled, dead = await sign_up(connection, "a@x"), await sign_up(connection, "b@x", TOO_LONG)
    await say(connection, TRACEPARENT)
    for key in (settled, dead, "00000000-0000-0000-0000-000000000007"):
        await report_order(connection, key)
    await pipeline.turn(path)

    lines = [json.loads(line) for line in log_lines.getvalue().splitlines() if TRACEPARENT in line]
    assert {line["event"] for line in lines} >= {"event_settled", "event_dead_lettered", "event_released"}
    assert {(line["trace_id"], line["span_id"], line["correlation_id"]) for line in lines} == {(*REQUEST.place, TRACEPARENT)}


async def test_audit_of_a_trace_is_found_by_its_id(connection: Connection, path: Path) -> None:
    """The query of the documents: capture, heal and replay of one request, by nothing but the id of its trace."""
    key = await sign_up(connection)
    await say(connection, TRACEPARENT)
    await park_order(connection, key)
    await pipeline.turn(path)

    found = await connection.fetch(
        "select error_type from public.error_logs where split_part(correlation_id, '-', 2) = $1", REQUEST.trace_id
    )
    assert {row[0] for row in found} == {"FOREIGN_KEY_VIOLATION_CAPTURED", "INSERT_REPLAYED"}


@pytest.mark.parametrize("given", HOSTILE.values(), ids=HOSTILE)
async def test_correlation_id_that_is_no_traceparent_is_a_correlation_id_and_nothing_else(
    connection: Connection, path: Path, log_lines: StringIO, given: str
) -> None:
    """It stands in one field of one line, cut where it is endless, and names no trace."""
    await say(connection, given)
    key = await sign_up(connection, name=TOO_LONG)
    await pipeline.turn(path)

    (line,) = lines_about(log_lines, key)
    assert line["event"] == "event_dead_lettered"
    assert line["correlation_id"][:100] == given[:100]
    assert not {"trace_id", "span_id"} & line.keys()
    assert max(map(len, log_lines.getvalue().splitlines())) < 4000
