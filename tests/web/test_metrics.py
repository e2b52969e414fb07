"""The metrics: what the worker did moves them, what stands in the database equals them, and a scrape asks it nothing."""

import asyncio
from collections.abc import Callable, Iterable

import pytest
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from tests.support.database import Database, count, sign_up
from tests.support.outbox import due_now
from tests.support.proxy import Proxy
from tests.support.serving import make_worker
from tests.support.waiting import eventually
from tests.support.web import Samples
from tests.support.workload import TOO_LONG, no_grace, park_order, play_unannounced, report_order
from tests.web.conftest import Serve
from worker import pipeline
from worker.core.meter import Spread
from worker.core.meters import Meters
from worker.core.vitals import Vitals
from worker.log import Log
from worker.pipeline import Path
from worker.store.connection import Connection
from worker.store.statements import statement
from worker.web.exposition import make_registry
from worker.web.observatory import Observatory
from worker.web.site import make_site

parsed: Callable[[str], Iterable[Metric]] = text_string_to_metric_families
"""Without types in prometheus_client."""

OBSERVER = "application_name = 'pgmend observing' and datname = current_database()"


def named(samples: Samples, name: str) -> dict[str, float]:
    """Return the values of a metric of one label, by its value."""
    return {next(iter(labels))[1]: value for (sample, labels), value in samples.items() if sample == name and labels}


async def test_what_the_path_does_is_counted_by_kind_and_outcome(connection: Connection, path: Path) -> None:
    """One of each: healed, found whole, replayed, dead, dropped, given back."""
    await no_grace(connection)
    await park_order(connection, await sign_up(connection))
    await sign_up(connection, "poison@x", TOO_LONG)
    await connection.execute(
        "update public.users set deleted_at = now() where id = $1::uuid", await sign_up(connection, "gone@x")
    )
    await park_order(connection, str(await connection.fetchval("select gen_random_uuid()")))
    await pipeline.turn(path)
    events = path.meters.events.values

    assert events["user_created", "healed"] == events["insert_failed", "replayed"] == events["user_created", "erased"] == 1
    assert events["user_created", "dead_lettered"] == events["insert_failed", "dead_lettered"] == 1
    assert events["user_created", "handed_over"] == 2
    assert path.meters.dead_lettered.values["needs_recipe",] == path.meters.dead_lettered.values["unknown_user",] == 1
    assert path.meters.foreign_key_violations.values["application",] == 2


async def test_event_that_is_given_back_is_counted_with_its_error_class(connection: Connection, path: Path) -> None:
    """A release is no settlement: it moves no histogram, and its SQLSTATE counts."""
    await report_order(connection, str(await connection.fetchval("select gen_random_uuid()")))
    await connection.execute("update pgmend.guarded_constraints set unknown_user_grace = '1 hour'")
    await pipeline.turn(path)

    assert path.meters.events.values["insert_failed", "released"] == 1
    assert path.meters.errors.values["PM",] == 1
    assert not path.meters.attempts.values


async def test_time_to_integrity_is_measured_for_each_healed_event(connection: Connection, path: Path) -> None:
    """From the event that was written to the commit of its effect, by the server's clock; nothing is asked for an event."""
    for number in range(3):
        await sign_up(connection, f"{number}@x")
    await connection.execute(
        "update pgmend.express_events set created_at = created_at - interval '40 seconds' where event_id = 1"
    )
    await pipeline.turn(path)
    await report_order(connection, await play_unannounced(connection, "late@x"))
    await connection.execute("update pgmend.careful_events set created_at = created_at - interval '100 seconds'")
    await pipeline.turn(path)
    express = path.meters.time_to_integrity.values["user_created",]
    careful = path.meters.time_to_integrity.values["insert_failed",]

    assert (sum(express.counts), express.counts[path.meters.time_to_integrity.bounds.index(60.0)]) == (3, 1)
    assert 40 < express.sum < 60
    assert sum(careful.counts) == 1
    assert 100 < careful.sum < 120


async def test_time_to_integrity_agrees_with_the_commits(connection: Connection, path: Path) -> None:
    """It is never less than the audit says, which was written before the commit."""
    for number in range(5):
        await sign_up(connection, f"{number}@x")
    await pipeline.turn(path)
    audited = await connection.fetchval("select sum((details ->> 'waited_ms')::float8) / 1000 from public.error_logs")
    measured = path.meters.time_to_integrity.values["user_created",]

    assert audited - 0.005 <= measured.sum <= audited + 5


async def test_gauges_equal_what_sql_counts(connection: Connection, serve: Serve) -> None:
    """Users, those without a profile, dead letters, the outbox, workers and the schema."""
    await no_grace(connection)
    await sign_up(connection)
    await sign_up(connection, "poison@x", TOO_LONG)
    await park_order(connection, str(await connection.fetchval("select gen_random_uuid()")))
    _, client = await serve()
    await client.becomes("pgmend_users_without_profile", 1, source="1")
    await connection.execute("insert into pgmend.workers values ('other', 'h', 1, '0', false)")
    await client.becomes("pgmend_workers", 2, state="alive")
    samples = await client.samples()

    assert samples["pgmend_users", frozenset({("source", "1")})] == await count(connection, "public.users")
    assert samples["pgmend_profile_coverage_ratio", frozenset({("source", "1")})] == 0.5
    letters = {row[0]: row[1] for row in await connection.fetch("select verdict, count(*) from pgmend.dead_letters group by 1")}
    assert {name: value for name, value in named(samples, "pgmend_dead_letters").items() if value} == letters
    assert sum(named(samples, "pgmend_outbox_events").values()) == await count(connection, "pgmend.outbox")
    assert named(samples, "pgmend_workers") == {"alive": 2, "listening": 1}
    assert samples["pgmend_schema_version", frozenset()] == await connection.fetchval(
        "select max(version) from pgmend.migrations"
    )


async def test_waiting_events_and_orphans_show(connection: Connection, serve: Serve) -> None:
    """An event of a paused source waits in its lane, ever older; a row that leads nowhere counts for its reference."""
    await connection.execute("select pgmend.pause_source(1, 'a person looks')")
    await sign_up(connection)
    await connection.execute(
        "alter table public.orders drop constraint fk_orders_user_id;"
        "insert into public.orders (user_id, amount) values (gen_random_uuid(), 1)"
    )
    _, client = await serve()
    await client.becomes("pgmend_orphans", 1, reference="orders.user_id=profiles.id")
    await client.becomes("pgmend_outbox_events", 1, lane="express")

    assert await client.sample("pgmend_source_paused", source="1") == 1
    assert (await client.sample("pgmend_outbox_oldest_due_age_seconds") or 0) > 0
    assert (await client.sample("pgmend_orphans_age_seconds", reference="orders.user_id=profiles.id") or 0) > 0


async def test_rings_sweeps_and_reconnects_are_counted(connection: Connection, serve: Serve) -> None:
    """What the listener hears and the sweeper finds."""
    await play_unannounced(connection, "unannounced@x")
    _, client = await serve()
    await client.turns("/readyz")
    await client.becomes("pgmend_sweep_found_users_total", 1)
    rings = await client.sample("pgmend_doorbell_rings_total")
    await sign_up(connection)

    async def has_rung() -> bool:
        return (await client.sample("pgmend_doorbell_rings_total") or 0) > (rings or 0)

    await eventually(has_rung, within=60)
    assert (await client.sample("pgmend_sweeps_total", outcome="finished") or 0) >= 1


async def test_storm_of_scrapes_asks_the_database_nothing(connection: Connection, serve: Serve) -> None:
    """One statement an observation, and no more for three hundred scrapes and as many probes."""
    _, client = await serve(observe_interval_seconds=3600)
    await client.becomes("pgmend_database_up", 1)
    before = await connection.fetch(f"select pid, query_start, state_change from pg_stat_activity where {OBSERVER}")
    for _ in range(10):
        await asyncio.gather(*(client.text(path) for path in ("/metrics", "/livez", "/readyz") for _ in range(30)))
    after = await connection.fetch(f"select pid, query_start, state_change from pg_stat_activity where {OBSERVER}")

    assert len(before) == 1
    assert before == after
    assert await client.sample("pgmend_observations_total", outcome="answered") == 1


async def test_observation_is_one_statement(database: Database, log: Log) -> None:
    """However many sources and references there are; around it stands a transaction that limits it."""
    asked: list[str] = []
    observatory = Observatory(make_worker(database.url, log))
    await observatory.look()
    connection = observatory._reader._connection
    assert connection is not None
    connection.add_query_logger(lambda record: asked.append(record.query))
    await observatory.look()
    await observatory._reader.close()

    look = statement("observation/look").splitlines()[0]
    begin, limits = (
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;",
        "set local statement_timeout = 2000; set local lock_timeout = 500",
    )
    assert [query.splitlines()[0] for query in asked] == [begin, limits, look, "COMMIT;"]


async def test_scrape_without_a_database_shows_the_process(serve: Serve, proxy: Proxy, proxied_url: str) -> None:
    """What the process knows of itself stands there; of the database, that it is away, and no number that is no longer so."""
    _, client = await serve(url=proxied_url)
    await client.becomes("pgmend_database_up", 1)
    proxy.blackhole()
    await client.becomes("pgmend_database_up", 0)
    samples = await client.samples()

    assert not [name for name, _ in samples if name in {"pgmend_users", "pgmend_outbox_events", "pgmend_workers"}]
    assert samples["process_resident_memory_bytes", frozenset()] > 0
    assert ("pgmend_events_total", frozenset({("kind", "user_created"), ("outcome", "healed")})) in samples
    proxy.flow()
    await client.becomes("pgmend_database_up", 1)


async def test_answer_that_grew_old_is_shown_no_more(database: Database, log: Log) -> None:
    """Whatever keeps the next one from coming: numbers of an hour ago are none."""
    skipped = 0.0
    site = make_site(make_worker(database.url, log, vitals=Vitals(now=lambda: skipped)))
    await site.observatory.look()
    fresh = make_registry(site).get_sample_value("pgmend_workers", {"state": "alive"})
    skipped = 3600.0
    registry = make_registry(site)
    await site.observatory._reader.close()

    assert fresh == 0
    assert registry.get_sample_value("pgmend_database_up") == 0
    assert registry.get_sample_value("pgmend_workers", {"state": "alive"}) is None


async def test_open_metrics_are_spoken_to_whoever_asks(serve: Serve) -> None:
    """And the parser of that format, which is strict, understands them."""
    _, client = await serve()
    text = await client.text(accept="application/openmetrics-text; version=1.0.0,text/plain;q=0.5")

    assert text.endswith("# EOF\n")
    assert {family.name for family in parsed(text)} >= {
        "pgmend_events",
        "pgmend_time_to_integrity_seconds",
    }


async def test_connections_that_go_away_are_counted_by_role(serve: Serve, proxy: Proxy, proxied_url: str) -> None:
    """And the listener's next one as a reconnect."""
    _, client = await serve(url=proxied_url)
    await client.turns("/readyz")
    proxy.cut()
    await client.becomes("pgmend_listener_reconnects_total", 1)

    async def is_counted() -> bool:
        return bool(await client.sample("pgmend_connections_lost_total", role="consumer"))

    await eventually(is_counted)
    assert (await client.sample("pgmend_connections_lost_total", role="listener") or 0) >= 1


async def test_expired_captures_are_counted(connection: Connection, serve: Serve) -> None:
    """Rows that nobody settled in time."""
    await connection.execute("update pgmend.guarded_constraints set unknown_user_grace = '60 days'")
    await report_order(connection, str(await connection.fetchval("select gen_random_uuid()")))
    await connection.execute("update pgmend.careful_events set created_at = created_at - interval '31 days'")
    await due_now(connection)
    _, client = await serve()

    await client.becomes("pgmend_captured_rows_expired_total", 1)


@pytest.mark.parametrize(("sqlstate", "shown"), [("23503", "23"), ("PM005", "PM"), ("ZZ999", "other"), ("", "other")])
def test_class_of_an_error_is_one_of_a_list(sqlstate: str, shown: str) -> None:
    """A trigger may raise any SQLSTATE; a label takes its values from us."""
    meters = Meters()
    meters.saw_error(sqlstate)

    assert meters.errors.values[shown,] == 1
    assert meters.foreign_key_violations.values["worker",] == (sqlstate == "23503")


def test_many_values_spread_as_each_of_them_would() -> None:
    """A batch is taken in at once, and a value that equals a bound belongs below it."""
    one_by_one, at_once = (Spread("s", "", (1.0, 2.0)) for _ in range(2))
    for value in (0.5, 1.0, 1.5, 9.0):
        one_by_one.add(value)
    at_once.add_all([0.5, 1.0, 1.5, 9.0])

    assert at_once.values == one_by_one.values
    assert at_once.values[()].counts == [2, 1, 1]
