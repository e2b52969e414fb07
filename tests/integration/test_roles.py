"""The roles: what an administrator gives is enough to install, to heal and to replay."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.conftest import StartWorker
from tests.integration.conftest import MakeRole
from tests.support.database import Database, count
from tests.support.workload import settled
from worker.embedded import Cluster
from worker.store import migrations
from worker.store.connection import Connection, Target, connect

ROLES = (Path(__file__).parents[2] / "sql" / "operations" / "roles.sql").read_text(encoding="utf-8")
APPLICATION = """
    create schema accounts;
    create table accounts.users (id uuid primary key default gen_random_uuid(), email text not null);
    grant all on schema public to shop_owner; grant usage on schema public to shop_writer;
    set role shop_owner;
    create table public.profiles (id uuid primary key, name text not null);
    create table public.orders (user_id uuid constraint fk_orders_user_id references public.profiles (id), amount int);
    grant insert on public.orders to shop_writer;
    reset role
"""
ATTACH = """
    select pgmend.attach_source('accounts.users', 'public.profiles', '{"name": "users.email"}');
    select pgmend.guard('public.orders', 'fk_orders_user_id', mode => 'park');
    select pgmend.grant_captures('shop_writer')
"""


@pytest.fixture
async def installer(make_role: MakeRole, empty_database: Database, cluster: Cluster) -> AsyncIterator[Connection]:
    """A session of an application's owner who was given what the file gives, and nothing else."""
    for role, options in (("shop_owner", "login"), ("shop_writer", "nologin"), ("shop_worker", "login in role pgmend_worker")):
        await make_role(role, options)
    admin = await empty_database.connect()
    await admin.execute("revoke all on schema public from public")
    await admin.execute(APPLICATION)
    given = [line for line in ROLES.splitlines() if line.startswith("grant ")]
    await admin.execute("\n".join(given).replace("database shop ", f"database {empty_database.name} "))
    session = await connect(Target(cluster.url(empty_database.name, "shop_owner")))
    yield session
    session.terminate()


async def test_owner_without_superuser_installs_and_a_bare_worker_does_the_rest(
    installer: Connection, empty_database: Database, cluster: Cluster, start: StartWorker
) -> None:
    """Sign-up, parked row and replay, with the rights that stand in the file."""
    await migrations.apply(installer, error_logs_table="public.error_logs")
    await installer.execute(ATTACH)
    admin = await empty_database.connect()
    key = await admin.fetchval("insert into accounts.users (email) values ('ada@x') returning id")
    await admin.execute("set role shop_writer")
    parked = await admin.execute("insert into public.orders values ($1, 1)", key)
    await admin.execute("reset role")

    await start(url=cluster.url(empty_database.name, "shop_worker"))
    await settled(admin)

    assert parked == "INSERT 0 0"
    assert await count(admin, "public.orders join public.profiles on user_id = id") == 1
