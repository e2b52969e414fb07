"""psycopg 3, as it comes: a transaction that the connection's block commits."""

import asyncio

import psycopg
from psycopg.types.json import Jsonb

from tests.clients.client import Client, receipt

INSERT = "insert into public.orders (user_id, amount) values (%s, 9.90)"


def _execute(url: str, key: str) -> str:
    with psycopg.connect(url) as connection:
        cursor = connection.execute(f"{INSERT} returning id", [key])
        return f"{'a row' if cursor.fetchone() else 'no row'}, `rowcount` {cursor.rowcount}"


def _executemany(url: str, key: str) -> str:
    with psycopg.connect(url) as connection:
        cursor = connection.cursor()
        cursor.executemany(INSERT, [[key], [key]])
        return f"`rowcount` {cursor.rowcount}"


def _copy(url: str, key: str) -> str:
    with psycopg.connect(url) as connection:
        cursor = connection.cursor()
        with cursor.copy("copy public.orders (user_id, amount) from stdin") as copy:
            copy.write_row([key, 1])
            copy.write_row([key, 2])
        return f"`rowcount` {cursor.rowcount}"


def _insert_or_park(url: str, row: dict[str, object]) -> str:
    with psycopg.connect(url) as connection:
        seen = connection.execute("select pgmend.insert_or_park('public.orders', %s)", [Jsonb(row)]).fetchone()
        assert seen
        return receipt(seen[0], seen[0]["status"])


def _report(url: str, row: dict[str, object]) -> str:
    with psycopg.connect(url) as connection:
        try:
            connection.execute(INSERT, [row["user_id"]])
        except psycopg.errors.ForeignKeyViolation:
            connection.rollback()
        seen = connection.execute("select pgmend.report_failed_insert('public.orders', %s)", [Jsonb(row)]).fetchone()
        assert seen
        return receipt(seen[0])


PSYCOPG = Client(
    name="psycopg 3",
    calls={
        "`execute`, `returning`": lambda url, key: asyncio.to_thread(_execute, url, key),
        "`executemany`": lambda url, key: asyncio.to_thread(_executemany, url, key),
        "`copy`": lambda url, key: asyncio.to_thread(_copy, url, key),
    },
    insert_or_park=lambda url, row: asyncio.to_thread(_insert_or_park, url, row),
    report_failed_insert=lambda url, row: asyncio.to_thread(_report, url, row),
    errors=(psycopg.Error,),
)
