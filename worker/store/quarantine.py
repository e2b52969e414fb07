"""The quarantine: rows that repairs have taken away or changed, and how they come back."""

from dataclasses import dataclass

from worker.store.connection import Connection
from worker.store.statements import statement


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be restored of a repair: all of it, or what was taken because of one key, or from one table."""

    repair_id: int
    key: str | None = None
    table: str | None = None


@dataclass(frozen=True, slots=True)
class RestoredBatch:
    """One batch that was restored, as far as it could be; ``batch`` is None where none was left."""

    batch: int | None
    restored: int
    refused: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that stays in the quarantine, and why."""

    table_name: str
    row_key: str | None
    sqlstate: str
    constraint_name: str | None
    reason: str


async def restore(connection: Connection, wanted: Wanted, *, below: int, search_path: str) -> RestoredBatch:
    """Restore the last batch below one, in a transaction of its own."""
    row = await connection.fetchrow(
        statement("quarantine/restore"), wanted.repair_id, below, wanted.key, wanted.table, search_path
    )
    assert row is not None
    return RestoredBatch(**dict(row))


async def held(connection: Connection, repair_id: int) -> int | None:
    """Return how many rows of a repair are in the quarantine, or None where there is no such repair."""
    count: int | None = await connection.fetchval(statement("quarantine/held"), repair_id)
    return count


async def took(connection: Connection, wanted: Wanted) -> bool:
    """Return whether the repair has ever taken or changed what is wanted, restored or not."""
    return bool(await connection.fetchval(statement("quarantine/took"), wanted.repair_id, wanted.key, wanted.table))


async def refusals(connection: Connection, repair_id: int, *, most: int) -> list[Refusal]:
    """Return rows that could not be restored."""
    return [Refusal(**dict(row)) for row in await connection.fetch(statement("quarantine/refusals"), repair_id, most)]
