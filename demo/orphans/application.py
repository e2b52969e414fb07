"""The live application: clients that insert, update and delete rows of their own users in the tables that are being repaired."""

import asyncio
import random
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import asyncpg

from demo.orphans.deeds import CHANGES, INSERTS, REMOVALS, TABLES, Written, new_value
from worker.store.connection import Connection, Target, close, connect

CLIENTS = 3
LONGEST_WAIT = "500ms"
"""For a lock: what waits longer is an error."""

_PAUSE_SECONDS = 0.004


@dataclass(slots=True)
class Application:
    """What all clients have done and been told, and what has to be there in the end."""

    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    rows: dict[tuple[str, uuid.UUID], str] = field(default_factory=dict)
    slowest: float = 0.0
    is_over: bool = False

    @property
    def statements(self) -> int:
        """Return how many statements there were."""
        return self.calls.total()

    @property
    def errors(self) -> int:
        """Return how many of them failed, but for those that the application had provoked itself."""
        return sum(calls for (_, answer), calls in self.calls.items() if answer not in ("done", "own"))

    def as_json(self) -> dict[str, int]:
        """Return the figures under the names that ``--json`` promises."""
        own = sum(calls for (_, answer), calls in self.calls.items() if answer == "own")
        slowest = round(self.slowest * 1000)
        return {"statements": self.statements, "errors": self.errors, "own_errors": own, "slowest_ms": slowest}

    async def write_down(self, connection: Connection) -> None:
        """Store everything in the schema ``demo``, for the invariants."""
        calls = [(deed, answer, number) for (deed, answer), number in self.calls.items()]
        rows = [(table, row_id, written) for (table, row_id), written in self.rows.items()]
        await connection.copy_records_to_table("live_calls", schema_name="demo", records=calls)
        await connection.copy_records_to_table("live_rows", schema_name="demo", records=rows)


@asynccontextmanager
async def writing(target: Target, connection: Connection, seed: int) -> AsyncIterator[Application]:
    """Have the application at work for the length of the block."""
    application = Application()
    users = [row[0] for row in await connection.fetch("select person from demo.live_users order by person")]
    admins = [row[0] for row in await connection.fetch("select id from public.profiles where is_admin order by id")]
    async with asyncio.TaskGroup() as clients:
        for number in range(CLIENTS):
            client = Client(application, random.Random(seed + number), users[number::CLIENTS], admins)
            clients.create_task(client.live(target))
        try:
            yield application
        finally:
            application.is_over = True


@dataclass(slots=True)
class Client:
    """One connection, with users that no other client has."""

    application: Application
    rng: random.Random
    users: Sequence[uuid.UUID]
    admins: Sequence[uuid.UUID]
    _pairs: set[tuple[uuid.UUID, uuid.UUID]] = field(default_factory=set)
    _rows: dict[str, list[uuid.UUID]] = field(default_factory=lambda: {table: [] for table in TABLES})

    async def live(self, target: Target) -> None:
        """Go on until it is over."""
        connection = await connect(target)
        try:
            await connection.execute(f"set lock_timeout = '{LONGEST_WAIT}'")
            while not self.application.is_over:
                await self._act(connection)
                await asyncio.sleep(_PAUSE_SECONDS)
        finally:
            await close(connection)

    async def _act(self, connection: Connection) -> None:
        table = self.rng.choice(TABLES)
        deed = self.rng.choices(("insert", "update", "delete"), weights=(5, 3, 2))[0]
        own = self._rows[table]
        if deed == "insert" or not own:
            await self._insert(connection, table)
        elif deed == "update" or table == "conversations":
            row_id, written = self.rng.choice(own), new_value(self.rng, table)
            if await self._call(connection, f"update {table}", CHANGES[table], row_id, written):
                self.application.rows[table, row_id] = written
        else:
            row_id = own.pop(self.rng.randrange(len(own)))
            if await self._call(connection, f"delete {table}", REMOVALS[table], row_id):
                del self.application.rows[table, row_id]

    async def _insert(self, connection: Connection, table: str) -> None:
        row_id, user = uuid.UUID(int=self.rng.getrandbits(128), version=4), self.rng.choice(self.users)
        written, other, is_twice = new_value(self.rng, table), None, False
        if table == "conversations":
            other = self.rng.choice(self.admins)
            is_twice = (user, other) in self._pairs
        elif table == "chat_messages":
            other = self.rng.choice(self._rows["conversations"]) if self._rows["conversations"] else None
        given: Written = (row_id, user, written) if table in ("orders", "leads") else (row_id, user, written, other)
        if await self._call(connection, f"insert {table}", INSERTS[table], *given, own_error="23505" if is_twice else ""):
            self._pairs |= {(user, other)} if table == "conversations" and other else set()
            self._rows[table].append(row_id)
            self.application.rows[table, row_id] = written

    async def _call(self, connection: Connection, deed: str, text: str, *given: object, own_error: str = "") -> bool:
        """Run one statement, and count its answer; return whether it was done."""
        started, answer = time.perf_counter(), "done"
        try:
            await connection.execute(text, *given)
        except asyncpg.PostgresError as error:
            answer = "own" if error.sqlstate == own_error else error.sqlstate or "unknown"
        self.application.slowest = max(self.application.slowest, time.perf_counter() - started)
        self.application.calls[deed, answer] += 1
        return answer == "done"
