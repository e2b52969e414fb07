"""Spans of a real worker, as a real collector gets them."""

import signal

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.conftest import StartWorker
from tests.support.collector import Collector, traced
from tests.support.database import sign_up
from tests.support.traces import Request, say, sign_up_for
from tests.support.workload import TOO_LONG, no_grace, park_order, settled
from worker.store.connection import Connection


async def test_healed_sign_up_is_a_span_below_the_one_that_signed_up(
    collector: Collector, connection: Connection, start: StartWorker
) -> None:
    """Who looks at the request's trace sees the profile being made, by which service, for which event."""
    request = Request()
    await start(*traced(collector.port))
    await sign_up_for(connection, request)

    seen = await collector.received("pgmend.outcome", "healed")
    event = await connection.fetchval("select event_id from public.error_logs where correlation_id = $1", request.traceparent)
    assert seen.parent == request.place
    assert (seen.span.name, seen.span.kind) == ("settle pgmend.express_events", Span.SPAN_KIND_CONSUMER)
    assert (seen.attributes["messaging.message.id"], seen.attributes["db.system.name"]) == (str(event), "postgresql")
    assert seen.resource["service.name"] == "pgmend"
    assert 0 < seen.span.end_time_unix_nano - seen.span.start_time_unix_nano < 20e9


async def test_replayed_insert_is_a_span_below_the_one_that_failed_to_insert(
    collector: Collector, connection: Connection, start: StartWorker
) -> None:
    """The trace of the request goes on where its row is stored, with the table and the constraint, and without an error."""
    request = Request()
    key = await sign_up(connection)
    await say(connection, request.traceparent)
    await park_order(connection, key)
    await start(*traced(collector.port))

    seen = await collector.received("pgmend.outcome", "replayed")
    assert seen.parent == request.place
    assert seen.span.name == "settle pgmend.careful_events"
    assert seen.attributes["db.collection.name"] == "orders"
    assert seen.attributes["pgmend.constraint"] == "fk_orders_user_id"
    assert seen.span.status.code == Status.STATUS_CODE_UNSET


async def test_dead_letter_is_an_error_with_its_sqlstate_and_nobodys_values(
    collector: Collector, connection: Connection, start: StartWorker
) -> None:
    """The span says verdict, SQLSTATE and constraint; key, name and address of the user are nowhere in it."""
    request = Request()
    await start(*traced(collector.port))
    key = await sign_up_for(connection, request, TOO_LONG)

    seen = await collector.received("pgmend.outcome", "dead_lettered")
    assert seen.parent == request.place
    assert (seen.attributes["pgmend.verdict"], seen.attributes["pgmend.constraint"]) == ("needs_recipe", "profiles_name_is_short")
    assert seen.attributes["error.type"] == seen.attributes["db.response.status_code"] == "23514"
    assert (seen.span.status.code, seen.span.status.message) == (Status.STATUS_CODE_ERROR, "23514")
    assert not [value for value in (key, TOO_LONG, "example.org") if value in str(seen.span)]


async def test_batch_of_many_is_one_span_linked_to_each_trace_once(
    collector: Collector, connection: Connection, start: StartWorker
) -> None:
    """A batch belongs to no request: it is a root, and links to those that it works for, as far as they have said so."""
    one, two = Request(), Request()
    for request in (one, one, two, Request(flags="xx")):
        await sign_up_for(connection, request)
    await start(*traced(collector.port))

    seen = await collector.received("messaging.batch.message_count", 4)
    assert seen.parent[1] == ""
    assert [(link.trace_id.hex(), link.span_id.hex()) for link in seen.span.links] == [one.place, two.place]
    assert (seen.attributes["pgmend.batch.healed"], seen.attributes["pgmend.batch.handed_over"]) == (4, 0)


async def test_links_of_a_batch_are_few(collector: Collector, connection: Connection, start: StartWorker) -> None:
    """However many requests a batch works for, it names 32 of them."""
    for _ in range(40):
        await sign_up_for(connection, Request())
    await start(*traced(collector.port))

    assert len((await collector.received("messaging.batch.message_count", 40)).span.links) == 32


async def test_event_that_names_no_trace_begins_one(collector: Collector, connection: Connection, start: StartWorker) -> None:
    """An ordinary correlation id is none of a span's business."""
    await no_grace(connection)
    await say(connection, "request-7")
    await park_order(connection, "00000000-0000-0000-0000-000000000007")
    await start(*traced(collector.port))

    seen = await collector.received("pgmend.verdict", "unknown_user")
    assert seen.parent[1] == ""
    assert "request-7" not in str(seen.span)


@pytest.mark.parametrize(
    "given", ["00-" + "x" * 1_000_000, f'00-{"a1" * 16}-{"b2" * 8}-01\n{{"event": "forged"}}'], ids=["endless", "two lines"]
)
async def test_hostile_correlation_id_is_in_no_span(
    collector: Collector, connection: Connection, start: StartWorker, given: str
) -> None:
    """What is almost a traceparent is nobody's trace, and nothing of it is sent, from either lane."""
    await say(connection, given)
    await sign_up(connection, name=TOO_LONG)
    await start(*traced(collector.port))

    express = await collector.received("pgmend.outcome", "handed_over")
    careful = await collector.received("pgmend.outcome", "dead_lettered")
    for seen in (express, careful):
        assert (seen.parent[1], len(seen.span.links)) == ("", 0)
        assert not [part for part in (given[:40], "forged") if part in str(seen.span)]


async def test_request_that_nobody_samples_has_no_span(collector: Collector, connection: Connection, start: StartWorker) -> None:
    """Whether a trace is kept is decided where it begins: the worker goes by the traceparent's flag."""
    silent, told = Request(flags="00"), Request()
    worker = await start(*traced(collector.port))
    await sign_up_for(connection, silent)
    await settled(connection)
    await sign_up_for(connection, told)
    await settled(connection)
    worker.send(signal.SIGTERM)

    assert await worker.ended() == 0
    assert [seen.parent for seen in collector.seen] == [told.place]


async def test_spans_that_wait_to_be_sent_are_sent_by_a_graceful_stop(
    collector: Collector, connection: Connection, start: StartWorker
) -> None:
    """A worker that ends leaves no span behind, however long it would have kept it."""
    request = Request()
    worker = await start(*traced(collector.port, bsp_schedule_delay=3_600_000))
    await sign_up_for(connection, request)
    await settled(connection)
    assert not collector.seen
    worker.send(signal.SIGTERM)

    assert await worker.ended() == 0
    assert [seen.parent for seen in collector.seen] == [request.place]


async def test_names_that_somebody_gave_the_service_are_kept(
    collector: Collector, connection: Connection, start: StartWorker
) -> None:
    """The SDK's own settings go before ours."""
    await start(*traced(collector.port, service_name="healer", resource_attributes="deployment.environment.name=test"))
    await sign_up(connection)

    resource = (await collector.received("pgmend.outcome", "healed")).resource
    assert (resource["service.name"], resource["deployment.environment.name"]) == ("healer", "test")
