"""``pgmend constrain``, in the test's own process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.support.database import Database
from worker.constraining import Constraining, Outcome
from worker.core.constrain.plan import Plan
from worker.core.retry_policy import RetryPolicy
from worker.errors import ReferenceRefusedError
from worker.locking import Patience
from worker.refusing import refuse
from worker.store.connection import Connection, Target, close, connect
from worker.wishes import Asked, gather

SOON = Patience(100, RetryPolicy(first_delay=0.02, longest_delay=0.1, most_attempts=200))
"""Short attempts, and many of them."""

KEYS = """
    select key.conrelid::regclass::text as table, key.conname, key.convalidated, above.conrelid::regclass::text as above,
        pg_get_constraintdef(key.oid) as definition
    from pg_constraint as key left join pg_constraint as above on key.conparentid = above.oid
    where key.contype = 'f' and key.conrelid::regclass::text <> 'pgmend' order by 1, 2
"""
INDEXES = """
    select rule.indexrelid::regclass::text as name, rule.indisvalid, pg_get_indexdef(rule.indexrelid) as definition,
        link.inhparent::regclass::text as above
    from pg_index as rule left join pg_inherits as link on link.inhrelid = rule.indexrelid
    where rule.indrelid in (select oid from pg_class where relnamespace = 'public'::regnamespace) order by 1
"""


@dataclass(slots=True)
class Told:
    """A run, and what it has said."""

    constraining: Constraining
    lines: list[str] = field(default_factory=list)


@asynccontextmanager
async def run_on(url: str, patience: Patience = SOON) -> AsyncIterator[Told]:
    """Open a run on a database."""
    connection = await connect(Target(url, application_name="pgmend constrain", statement_timeout=600))
    watching = await connect(Target(url))
    lines: list[str] = []
    try:
        yield Told(Constraining(connection, watching, patience, lines.append), lines)
    finally:
        await close(watching)
        await close(connection)


async def planned(database: Database, *references: str, role: str = "postgres", **asked: Any) -> list[Plan]:
    """Return the plans for what is asked, as a role."""
    async with run_on(database.cluster.url(database.name, role)) as told:
        wishes = await gather(told.constraining.connection, Asked(references, **asked))
        return [await told.constraining.plan(wish) for wish in wishes]


async def constrained(database: Database, *references: str, role: str = "postgres", **asked: Any) -> list[Outcome]:
    """Carry out what is asked, as the command does, and return what became of it."""
    async with run_on(database.cluster.url(database.name, role)) as told:
        wishes = await gather(told.constraining.connection, Asked(references, **asked))
        refuse([refusal for wish in wishes for refusal in (await told.constraining.plan(wish)).refusals])
        return [await told.constraining.carry_out(wish) for wish in wishes]


async def refused(database: Database, *references: str, **asked: Any) -> str:
    """Return the line with which what is asked is refused."""
    try:
        await constrained(database, *references, **asked)
    except ReferenceRefusedError as error:
        return str(error)
    raise AssertionError("nothing was refused")


async def state(connection: Connection) -> list[dict[str, Any]]:
    """Return all foreign keys and indexes of the public schema, for comparison."""
    return [dict(row) for query in (KEYS, INDEXES) for row in await connection.fetch(query)]
