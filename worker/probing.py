"""Probes of the way to the server: whether a pooler is in between, what it carries, and whether a bell that is rung is heard.

A transaction pooler gives a client's next transaction to whichever server connection is free. A second client that holds one in
a transaction makes that visible.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import asyncpg

from worker.core.doctor.server import Way
from worker.errors import PgmendError
from worker.store import doctor, doorbell
from worker.store.connection import LOST, Connection, Target, close, connect

_LOST_STATEMENT = (asyncpg.InvalidSQLStatementNameError, asyncpg.DuplicatePreparedStatementError)
_LOOKS = 3


async def probe(target: Target, listen_target: Target, *, patience: float) -> Way:
    """Return what the way to the server is like. ``patience``: how many seconds a bell may take to be heard."""
    pooler = await pooler_of(replace(target, prepared_statements=False))
    last = await _prepared_statements_last(target) if target.prepared_statements else None
    try:
        elsewhere = await _identity(target) != await _identity(listen_target)
        hears = None if elsewhere else await _hears(listen_target, target, patience)
    except PgmendError as error:
        return Way(pooler, prepared_statements_last=last, listen_error=str(error))
    return Way(pooler, hears, last, listens_elsewhere=elsewhere)


async def pooler_of(target: Target) -> str:
    """Return what is in between: ``none``, ``session`` or ``transaction``."""
    async with _two(target) as (first, second):
        before = await _served_by(first)
        for _ in range(_LOOKS):
            async with second.transaction():
                await doctor.backend(second)
                if await _served_by(first) != before:
                    return "transaction"
        return "none" if before == first.get_server_pid() else "session"


async def _prepared_statements_last(target: Target) -> bool:
    async with _two(target) as (first, second):
        try:
            await _served_by(first)
            for _ in range(_LOOKS):
                async with second.transaction():
                    await doctor.backend(second)
                    await _served_by(first)
        except _LOST_STATEMENT:
            return False
    return True


async def _served_by(connection: Connection) -> int:
    async with connection.transaction():
        return await doctor.backend(connection)


@asynccontextmanager
async def _two(target: Target) -> AsyncIterator[tuple[Connection, Connection]]:
    async with AsyncExitStack() as opened:
        first, second = await connect(target), await connect(target)
        for connection in (first, second):
            opened.push_async_callback(close, connection)
        yield first, second


async def _identity(target: Target) -> str:
    connection = await connect(replace(target, prepared_statements=False))
    try:
        async with connection.transaction():
            return (await doctor.server(connection)).identity
    finally:
        await close(connection)


async def _hears(listen_target: Target, ringing_target: Target, patience: float) -> bool:
    heard = asyncio.Event()
    payload = uuid.uuid4().hex

    def on_ring(_connection: object, _pid: int, _channel: str, rung: object) -> None:
        if rung == payload:
            heard.set()

    listening = await connect(replace(listen_target, prepared_statements=False))
    ringing = await connect(replace(ringing_target, prepared_statements=False))
    try:
        await listening.add_listener(doorbell.CHANNEL, on_ring)
        async with ringing.transaction():
            await doorbell.ring(ringing, payload)
        async with asyncio.timeout(patience):
            await heard.wait()
    except (TimeoutError, *LOST):
        return False
    finally:
        await close(listening)
        await close(ringing)
    return True
