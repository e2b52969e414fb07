"""The probes of the Kubernetes manifests, asked of the built image under the settings of the manifests."""

import signal
from typing import Any

import pytest

from tests.support.activity import blocked
from tests.support.container import Containers
from tests.support.database import Database, sign_up
from tests.support.manifests import container, settings
from tests.support.web import client_of

STARTUP, LIVENESS, READINESS = (container()[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "liveness", "readiness"))
AUDIT_WAITS = """
    create function public.wait_for_one() returns trigger language plpgsql as $$
    begin
        perform set_config('lock_timeout', '0', true);
        perform pg_advisory_xact_lock(1);
        return new;
    end $$;
    create trigger wait_for_one before insert on public.error_logs for each row execute function public.wait_for_one()
"""


@pytest.fixture
def of_the_manifests() -> dict[str, Any]:
    """The settings of the manifests, but for the address: tests serve on loopback, on a free port."""
    named = {name.removeprefix("PGMEND_").lower(): value for name, value in settings().items()}
    return named | {"http_host": "127.0.0.1", "http_port": 0}


async def test_probes_are_green_on_a_worker_that_works(
    containers: Containers, database: Database, of_the_manifests: dict[str, Any]
) -> None:
    """Each path that the deployment names is served, and says yes."""
    client = await client_of(await containers.start(database.cluster.url(database.name, tcp=True), **of_the_manifests))
    await client.turns(READINESS)

    assert [(await client.get(path)).status for path in (STARTUP, LIVENESS, READINESS)] == [200, 200, 200]


async def test_worker_without_a_database_lives_waits_and_ends_when_told(
    containers: Containers, of_the_manifests: dict[str, Any]
) -> None:
    """While its server is out of reach it is neither started nor dead, and SIGTERM ends it at once, with status 0."""
    worker = await containers.start("postgresql://nobody@127.0.0.1:1/none", **of_the_manifests)
    client = await client_of(worker)
    await worker.logged("connection_failed")
    statuses = [(await client.get(path)).status for path in (STARTUP, LIVENESS, READINESS)]
    await containers.send(signal.SIGTERM)

    assert statuses == [503, 200, 503]
    assert await worker.ended(within=5) == 0


async def test_readiness_goes_first_when_a_worker_is_stopped(
    containers: Containers, database: Database, of_the_manifests: dict[str, Any]
) -> None:
    """While it finishes what is in flight, the worker says that it is alive and no longer ready; then it ends with 0."""
    connection, holder = await database.connect(), await database.connect()
    worker = await containers.start(database.cluster.url(database.name, tcp=True), **of_the_manifests)
    client = await client_of(worker)
    await worker.logged("listener_connected")
    await holder.execute(f"{AUDIT_WAITS}; select pg_advisory_lock(1)")
    await sign_up(connection)
    await blocked(connection, "outbox/express")
    await containers.send(signal.SIGTERM)
    await client.turns(READINESS, "stopping")
    alive = (await client.get(LIVENESS)).status
    await holder.execute("select pg_advisory_unlock(1)")

    assert alive == 200
    assert await worker.ended(within=10) == 0
    assert await connection.fetchval("select count(*) from public.profiles") == 1
