"""A shop whose keys have led nowhere for a while: tables of many shapes that refer to profiles, and the means to repair it."""

from collections.abc import Sequence

from tests.support.database import Database
from worker.core.repair_plan import Plan
from worker.core.strategy import read_choice
from worker.repair_planning import Planning, Wishes
from worker.repair_run import Pacing, RepairRun, begin
from worker.restoring import Restore
from worker.store import repairs
from worker.store.connection import Connection
from worker.store.quarantine import Wanted
from worker.store.repairs import Step

PATH = '"$user", public'
FAST = Pacing(pause=0)


async def settled(database: Database) -> Connection:
    """Return a session that is settled for a repair."""
    connection = await database.connect(statement_timeout=600)
    await repairs.settle_session(connection, lock_timeout=0.5)
    return connection


async def planned(session: Connection, *references: str, strategies: Sequence[str] = (), **wishes: object) -> Plan:
    """Return the plan for these references, and all others that pgmend knows, with strategies as a person writes them."""
    choices = [read_choice(text) for text in strategies]
    return await Planning(session, Wishes(references, choices=choices, **wishes)).run()  # type: ignore[arg-type]


async def repaired(session: Connection, plan: Plan, *, pacing: Pacing = FAST, audit: str = "batch") -> tuple[int, list[Step]]:
    """Carry a plan out; return the run's number and its steps."""
    repair_id = await begin(session, plan, audit=audit, search_path=PATH)
    return repair_id, await RepairRun(session, repair_id, PATH, pacing, lambda _: None).run()


async def restored(session: Connection, repair_id: int, *, key: str | None = None, table: str | None = None) -> tuple[int, int]:
    """Restore a repair; return how many rows were, and how many were refused."""
    return await Restore(session, Wanted(repair_id, key, table), PATH, FAST, lambda _restored, _refused: None).run()


async def checksums(connection: Connection, tables: Sequence[str]) -> dict[str, str | None]:
    """Return a checksum over every value of each table."""
    return {
        table: await connection.fetchval(f"select md5(string_agg(kept::text, e'\\n' order by kept::text)) from {table} as kept")
        for table in tables
    }
