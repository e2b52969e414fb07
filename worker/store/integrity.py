"""Integrity as it was counted last: users without a profile by source, orphans by reference. The sweep counts; others read."""

from collections import defaultdict
from collections.abc import Collection, Mapping

from worker.core.diagnosis import Examined
from worker.core.failure import Failure
from worker.core.orphan_audit import KeyChange
from worker.core.reference import Reference
from worker.core.source_failure import SourceFailure
from worker.store.connection import Connection
from worker.store.statements import statement


async def count_users(connection: Connection, source_id: int) -> None:
    """Count users, and users without a profile, of one source, and keep the counts. Reads whole tables."""
    await connection.execute(statement("integrity/count_users"), source_id)


_AGAIN_AND_AGAIN = 3
_MOST_EVENTS = 100_000


async def recurring_failures(connection: Connection) -> Mapping[int, list[SourceFailure]]:
    """Return what events have come back with again and again, by source, the most frequent first."""
    found: dict[int, list[SourceFailure]] = defaultdict(list)
    for row in await connection.fetch(statement("integrity/recurring_failures"), _AGAIN_AND_AGAIN, _MOST_EVENTS):
        found[row["source_id"]].append(SourceFailure(Failure(row["sqlstate"], row["message"] or ""), row["events"]))
    return found


async def failure(connection: Connection, source_id: int) -> SourceFailure | None:
    """Return what a source fails with, as the last sweep has kept it."""
    row = await connection.fetchrow(statement("integrity/failure"), source_id)
    return SourceFailure(Failure(row["sqlstate"], row["message"]), row["events"]) if row else None


async def keep_failures(connection: Connection, judged: Mapping[int, SourceFailure | None]) -> None:
    """Keep what each of these sources fails with, or that it does not (None).

    In the order of their ids: two workers who have seen different things wait for each other, and never in a circle.
    """
    for source_id, it in sorted(judged.items()):
        if it is None:
            await connection.execute(statement("integrity/forget_failure"), source_id)
        else:
            given = source_id, it.failure.sqlstate, it.failure.message, it.events
            await connection.execute(statement("integrity/keep_failure"), *given)


async def keep_orphans(connection: Connection, examined: Collection[Examined]) -> list[tuple[Examined, int]]:
    """Keep how many orphans each of these references has, of those that could be seen.

    Returns those whose number has changed, with the one before. A reference that two keys hold has the same orphans twice.
    """
    seen = {it.name: it for it in examined if not it.unseen}
    rows = await connection.fetch(
        statement("integrity/keep_orphans"),
        [*seen],
        [it.reference.referencing_table for it in seen.values()],
        [it.reference.constraint_name for it in seen.values()],
        [it.orphans for it in seen.values()],
    )
    return [(seen[row["reference"]], row["orphans_before"]) for row in rows]


async def keep_keys(connection: Connection, references: Collection[Reference]) -> list[KeyChange]:
    """Keep which foreign key holds each reference, forget all others, and return what has changed."""
    rows = await connection.fetch(statement("integrity/forget_keys"), [it.name for it in references])
    rows += await connection.fetch(
        statement("integrity/keep_keys"),
        [it.name for it in references],
        [it.referencing_table for it in references],
        [it.constraint_name for it in references],
        [it.is_declared and it.is_validated for it in references],
    )
    return [KeyChange(**dict(row)) for row in rows]


async def forget_orphans(connection: Connection, references: Collection[str]) -> None:
    """Forget what was counted of references that are not among these."""
    await connection.execute(statement("integrity/forget_orphans"), list(references))
