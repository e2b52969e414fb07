"""The recipe, tried for real users without profile in a transaction that is always rolled back."""

import asyncpg

from worker.core.doctor.users import Trial, judge_trials, not_tried
from worker.core.doctor.wording import Source
from worker.core.finding import Finding
from worker.store import doctor, triggers
from worker.store.connection import Connection, failure_of, is_lost

USERS_OF_A_KIND = 3
LOCK_SECONDS = 0.2


async def try_recipe(connection: Connection, source: Source, *, statement_seconds: float) -> list[Finding]:
    """Heal a few users of each kind, each in a savepoint, and undo it; return what was refused.

    Nothing stays, and no bell rings. What a trigger on the profiles table does outside the database cannot be undone.
    """
    transaction = connection.transaction()
    await transaction.start()
    try:
        await doctor.limit(connection, statement_seconds=statement_seconds, lock_seconds=LOCK_SECONDS)
        trials = [await _try_for(connection, source, kind, key) for kind, key in await _candidates(connection, source)]
    except asyncpg.PostgresError as error:
        if is_lost(error, connection):
            raise
        failure = failure_of(error)
        return [not_tried(source, f"SQLSTATE {failure.sqlstate}: {failure.message}")]
    finally:
        if not connection.is_closed():
            await transaction.rollback()
    return judge_trials(source, trials, await triggers.firing(connection, source.source_id))


async def _candidates(connection: Connection, source: Source) -> list[tuple[str, str]]:
    if await doctor.reads_users(connection, source):
        return await doctor.candidates(connection, source, most=USERS_OF_A_KIND)
    return await doctor.announced(connection, source, most=USERS_OF_A_KIND)


async def _try_for(connection: Connection, source: Source, kind: str, user_key: str) -> Trial:
    savepoint = connection.transaction()
    await savepoint.start()
    try:
        return Trial(kind, outcome=await doctor.try_recipe(connection, source, user_key))
    except asyncpg.PostgresError as error:
        if is_lost(error, connection):
            raise
        return Trial(kind, failure=failure_of(error))
    finally:
        if not connection.is_closed():
            await savepoint.rollback()
