"""Profiles: the facts about users, healing one, and the sweep for those that nothing announced."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Literal

from worker.core.event import Event
from worker.core.facts import Facts
from worker.store.connection import Connection
from worker.store.statements import statement


async def facts(connection: Connection, events: Iterable[Event]) -> dict[int, Facts]:
    """Return the facts for each event, by event id: one statement for each profile source."""
    by_source: dict[int, list[Event]] = defaultdict(list)
    for event in events:
        by_source[event.source_id].append(event)
    answers: dict[int, Facts] = {}
    for source_id, members in by_source.items():
        known = await _facts_of_users(connection, source_id, {event.user_key for event in members})
        answers |= {event.event_id: known[event.user_key] for event in members}
    return answers


Healed = Literal["healed", "already_whole", "not_healed"]


async def heal(connection: Connection, source_id: int, user_key: str) -> Healed:
    """Make one profile exist. Raises what the recipe raises."""
    outcome: Healed = await connection.fetchval(statement("profiles/heal"), source_id, user_key)
    return outcome


async def hold(connection: Connection, source_id: int, user_key: str) -> Healed:
    """Lock a user who is whole until the transaction ends: ``already_whole``, or ``not_healed`` if they are erased by now."""
    held = await connection.fetchval(statement("profiles/hold"), source_id, user_key)
    return "already_whole" if held else "not_healed"


async def lock_sweep(connection: Connection) -> bool:
    """Try to be the only sweeper until the transaction ends; return whether that is so."""
    return bool(await connection.fetchval(statement("profiles/lock_sweep")))


async def sweep(connection: Connection, *, most: int) -> dict[int, int]:
    """Write events for users without a profile that nothing announced; return how many, by profile source."""
    rows = await connection.fetch(statement("profiles/sweep"), most)
    return {row["source_id"]: row["found_users"] for row in rows}


async def _facts_of_users(connection: Connection, source_id: int, user_keys: set[str]) -> dict[str, Facts]:
    rows = await connection.fetch(statement("profiles/facts"), source_id, list(user_keys))
    return {row["user_key"]: Facts(row["user_state"], row["profile_exists"], row["known_before"]) for row in rows}
