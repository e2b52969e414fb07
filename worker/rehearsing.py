"""Rehearsing: an event handled by the very code that handles it in the worker, in a transaction that is always rolled back."""

import random
from dataclasses import replace

import asyncpg

from worker.core import setback
from worker.core.decision import Release, SetAside
from worker.core.event import Event
from worker.core.failure import NOT_MADE_SQLSTATE, FailureClass, classify
from worker.core.lost_sessions import LostSessions
from worker.core.outcome import Result
from worker.core.rehearsal import Rehearsal, foresee
from worker.core.retry_policy import RetryPolicy
from worker.handling import Handling
from worker.store.connection import LOST, Connection, is_lost, wait_for_locks

_random = random.SystemRandom().random


async def rehearse(connection: Connection, event: Event, policy: RetryPolicy, *, lock_seconds: float) -> Rehearsal:
    """Handle an event as its writer, and undo it: nothing stays, and no bell rings.

    What a trigger does outside the database cannot be undone. Where the event costs the session, the connection is closed
    afterwards. Raises where the connection is lost in any other way.
    """
    lost = LostSessions()
    transaction = connection.transaction()
    await transaction.start()
    try:
        await wait_for_locks(connection, seconds=lock_seconds)
        return foresee(await _handled(Handling(connection, policy, lost), event))
    except ConnectionAbortedError:
        return foresee(setback.after_touching_the_session(event))
    except (asyncpg.PostgresError, *LOST) as error:
        if not lost.suspects or not is_lost(error, connection):
            raise
        connection.terminate()
        return foresee(setback.ended_the_session(event))
    finally:
        if not connection.is_closed():
            await transaction.rollback()


async def _handled(handling: Handling, event: Event) -> Result:
    """Handle the event, and once more where a first violation is given the benefit of the doubt: the second tells what it is."""
    facts = (await handling.facts([event]))[event.event_id]
    result = await handling.handle(event, facts)
    if isinstance(result, Release) and (classify(result.failure.sqlstate) is FailureClass.PERMANENT or _is_not_made(result)):
        again = replace(event, attempts=event.attempts + 1, last_failure=result.failure)
        second: Result = await handling.handle(again, facts)
        return second if isinstance(second, SetAside) else result
    return result


def _is_not_made(release: Release) -> bool:
    return release.failure.sqlstate == NOT_MADE_SQLSTATE
