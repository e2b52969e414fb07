"""Repairs: runs and their steps, and one batch of each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from worker.core.reference import People
from worker.core.repair_plan import KnownSource
from worker.store.connection import Connection
from worker.store.statements import statement


@dataclass(frozen=True, slots=True)
class NewStep:
    """A step to be added: which rows, why, and what is done with them."""

    referencing_table: str
    reference: str
    referenced_table: str
    referenced_column: str
    changed_columns: Sequence[str]
    constraint_name: str | None
    source_id: int | None
    selection: str
    error_type: str
    reason: str
    is_sole: bool
    strategy: str
    argument: str | None
    rows_planned: int


@dataclass(frozen=True, slots=True)
class Step:
    """A step as it stands. ``rows_along``: rows that were taken because they refer to an orphan."""

    step_id: int
    reference: str
    reason: str
    strategy: str
    state: str
    rows_planned: int
    rows_done: int
    rows_along: int
    rows_refused: int
    refusal: str | None


@dataclass(frozen=True, slots=True)
class Batch:
    """What became of the candidates of one batch; ``chosen`` is 0 at the end of a pass."""

    chosen: int
    taken: int
    along: int
    missed: int
    refused: int


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A run that somebody has begun, and under which search path."""

    repair_id: int
    search_path: str


async def own_path(connection: Connection) -> str:
    """Return the session's search path."""
    return str(await connection.fetchval(statement("repairs/own_path")))


async def settle_session(connection: Connection, *, lock_timeout: float) -> None:
    """Let the session use full names, hide no row in silence, and wait so many seconds for a lock."""
    await connection.execute(statement("repairs/settle_session"), str(max(1, int(lock_timeout * 1000))))


async def qualified(connection: Connection, table: str) -> str | None:
    """Return the full name of a table, or None where there is none of that name."""
    name: str | None = await connection.fetchval(statement("repairs/qualified"), table)
    return name


async def sources(connection: Connection) -> list[KnownSource]:
    """Return the attached profile sources."""
    return [_source(**dict(row)) for row in await connection.fetch(statement("repairs/sources"))]


def _source(*, source_id: int, is_paused: bool, **people: str) -> KnownSource:
    return KnownSource(source_id, People(**people, is_audited=True), is_paused)


async def hidden(connection: Connection, tables: Sequence[str]) -> list[str]:
    """Return the tables, among these and those that refer to them, whose rows row-level security hides from us."""
    return [row[0] for row in await connection.fetch(statement("repairs/hidden"), list(tables))]


async def strangers(connection: Connection, tables: Sequence[str], *, beside: Sequence[str]) -> list[str]:
    """Return the tables that refer to these, and so on, whose owner is a stranger: owns none of these, nor of those beside."""
    return [row[0] for row in await connection.fetch(statement("repairs/strangers"), list(tables), list(beside))]


async def referenced(connection: Connection, table: str, columns: Sequence[str]) -> list[str]:
    """Return the foreign keys that refer to one of these columns."""
    return [row[0] for row in await connection.fetch(statement("repairs/referenced"), table, list(columns))]


async def parents(connection: Connection, table: str, columns: Sequence[str]) -> list[str]:
    """Return the tables to which one of these columns refers itself."""
    return [row[0] for row in await connection.fetch(statement("repairs/parents"), table, list(columns))]


async def without_row(connection: Connection, table: str, column: str, keys: Iterable[str]) -> list[str]:
    """Return those of the keys under which a table has no row."""
    return list(await connection.fetchval(statement("repairs/without_row"), table, column, list(keys)))


async def mapped(connection: Connection, selection: str, reason: str, keys: Iterable[str]) -> tuple[int, int]:
    """Return how many orphans of a reason have one of these keys, and how many distinct keys they have."""
    query = await connection.fetchval(statement("repairs/mapped"), selection)
    (row,) = await connection.fetch(query, reason, list(keys))
    return row["orphans"], row["keys"]


async def along(
    connection: Connection, selection: str, table: str, reasons: Sequence[str], *, most: int
) -> dict[str, dict[str, int]] | None:
    """Return how many rows would go along with the orphans, by reason and table; None where that was not counted.

    What it has noted meanwhile is taken back: no profile is made in a session that has temporary objects.
    """
    counting = connection.transaction()
    await counting.start()
    try:
        rows = await connection.fetch(statement("repairs/along"), selection, table, list(reasons), most)
    finally:
        await counting.rollback()
    if any(not row["is_counted"] for row in rows):
        return None
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        found.setdefault(row["reason"], {})[row["referencing_table"]] = row["referencing_rows"]
    return found


async def start(connection: Connection, plan: str, *, audit: str, search_path: str) -> int:
    """Begin a run and return its number."""
    return int(await connection.fetchval(statement("repairs/start"), plan, audit, search_path))


async def add_step(connection: Connection, repair_id: int, step: NewStep, mapping: Mapping[str, str]) -> None:
    """Add a step, with what it puts in the place of which key."""
    values = [getattr(step, name) for name in NewStep.__slots__]
    step_id = await connection.fetchval(statement("repairs/add_step"), repair_id, *values)
    if mapping:
        await connection.execute(statement("repairs/add_mapping"), step_id, list(mapping), list(mapping.values()))


async def unfinished(connection: Connection) -> list[Unfinished]:
    """Return the runs that are not finished."""
    return [Unfinished(*row) for row in await connection.fetch(statement("repairs/unfinished"))]


async def steps(connection: Connection, repair_id: int) -> list[Step]:
    """Return the steps of a run, in order."""
    return [Step(**dict(row)) for row in await connection.fetch(statement("repairs/steps"), repair_id)]


async def lock(connection: Connection, repair_id: int) -> bool:
    """Take a run for this session; return False where another session has it."""
    return bool(await connection.fetchval(statement("repairs/lock"), repair_id))


async def collect(connection: Connection, step_id: int, *, most: int) -> int:
    """Look for the orphans of a step; return how many there are, at most so many."""
    return int(await connection.fetchval(statement("repairs/collect"), step_id, most))


async def batch(connection: Connection, step_id: int, *, most: int, budget: int, search_path: str) -> Batch:
    """Repair the next candidates of a step in a transaction of its own."""
    row = await connection.fetchrow(statement("repairs/batch"), step_id, most, budget, search_path)
    assert row is not None
    return Batch(**dict(row))


async def finish(connection: Connection, repair_id: int, state: str) -> None:
    """End a run: ``finished`` or ``abandoned``."""
    await connection.execute(statement("repairs/finish"), repair_id, state)
