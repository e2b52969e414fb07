"""asyncpg, as it comes: each statement its own transaction."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import asyncpg

from tests.clients.client import Client, receipt
from worker.store.connection import Connection

INSERT = "insert into public.orders (user_id, amount) values ($1, 9.90)"


@asynccontextmanager
async def _connection(url: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def _fetchval(url: str, key: str) -> str:
    async with _connection(url) as connection:
        seen = await connection.fetchval(f"{INSERT} returning id", key)
        return "`None`" if seen is None else "the id"


async def _execute(url: str, key: str) -> str:
    async with _connection(url) as connection:
        return f"`{await connection.execute(INSERT, key)}`"


async def _executemany(url: str, key: str) -> str:
    async with _connection(url) as connection:
        await connection.executemany(INSERT, [[key], [key]])
        return "nothing raised"


async def _copy(url: str, key: str) -> str:
    async with _connection(url) as connection:
        records = [(key, 1), (key, 2)]
        return f"`{await connection.copy_records_to_table('orders', records=records, columns=['user_id', 'amount'])}`"


async def _insert_or_park(url: str, row: dict[str, object]) -> str:
    async with _connection(url) as connection:
        seen = await connection.fetchval("select pgmend.insert_or_park('public.orders', $1)", json.dumps(row))
        return receipt(seen, json.loads(seen)["status"])


async def _report(url: str, row: dict[str, object]) -> str:
    async with _connection(url) as connection:
        with suppress(asyncpg.ForeignKeyViolationError):
            await connection.execute(INSERT, row["user_id"])
        seen = await connection.fetchval("select pgmend.report_failed_insert('public.orders', $1)", json.dumps(row))
        return receipt(seen)


ASYNCPG = Client(
    name="asyncpg",
    calls={
        "`fetchval`, `returning`": _fetchval,
        "`execute`": _execute,
        "`executemany`": _executemany,
        "`copy_records_to_table`": _copy,
    },
    insert_or_park=_insert_or_park,
    report_failed_insert=_report,
    errors=(asyncpg.PostgresError,),
)
