"""Profiles: the facts about users, healing one, and the sweep for those that nothing announced."""

import json
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Literal

import asyncpg

from worker.core.backfill import BackfillBatch, Refusal
from worker.core.event import Event
from worker.core.facts import Facts
from worker.core.failure import Failure
from worker.core.source_failure import RefusedCondition
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


async def lock_look(connection: Connection) -> bool:
    """Try to be the only one who looks whether the sources work, until the transaction ends; return whether that is so."""
    return bool(await connection.fetchval(statement("profiles/lock_look")))


async def sweep(connection: Connection, source_id: int, *, most: int) -> int:
    """Write events for users of one source without a profile that nothing announced; return how many."""
    return int(await connection.fetchval(statement("profiles/sweep"), source_id, most))


async def try_source(connection: Connection, source_id: int) -> None:
    """Call, for nobody, what the worker calls for users. Raises what is wrong with the source whoever the user is."""
    await connection.fetchrow(statement("profiles/try_source"), source_id)


async def refused_conditions(connection: Connection, source_id: int) -> list[RefusedCondition]:
    """Return the conditions of a source that raise whoever the user is."""
    rows = await connection.fetch(statement("profiles/refused_conditions"), source_id)
    return [RefusedCondition(row["condition"], row["written"], Failure(row["raised"], row["message"])) for row in rows]


async def facts_of_user(connection: Connection, source_id: int, user_key: str) -> Facts:
    """Return the facts of one user. Raises what the source's conditions raise, and what the key is refused with."""
    return (await _facts_of_users(connection, source_id, {user_key}))[user_key]


async def misfit(connection: Connection, source_id: int, user_key: str) -> str | None:
    """Return why a text can be no key of a source's users table, or None where it can be one."""
    row = await connection.fetchrow(statement("profiles/key_type"), source_id, user_key)
    if row is None:
        return None
    try:
        await connection.fetchval(row["query"])
    except asyncpg.DataError:
        return f"keys of {row['users_table']} are {row['key_type']}, and this is none"
    return None


async def may_heal(connection: Connection) -> bool:
    """Return whether the role of this connection may make a profile."""
    return bool(await connection.fetchval(statement("profiles/may_heal")))


async def backfill(connection: Connection, source_id: int, *, after: str | None, most: int) -> BackfillBatch:
    """Make the missing profiles among the next users in the order of their keys, in a transaction of the caller's."""
    (row,) = await connection.fetch(statement("profiles/backfill"), source_id, after, most)
    refusals = tuple(_refusal(it) for it in json.loads(row["refusals"]))
    return BackfillBatch(row["last_key"], row["looked"], row["healed"], refusals)


async def users_about(connection: Connection, source_id: int) -> int:
    """Return about how many users a source has; 0 where nobody knows."""
    return int(await connection.fetchval(statement("profiles/users_about"), source_id) or 0)


def _refusal(fields: dict[str, Any]) -> Refusal:
    users = fields.pop("users")
    return Refusal(Failure(**fields), users)


async def _facts_of_users(connection: Connection, source_id: int, user_keys: set[str]) -> dict[str, Facts]:
    rows = await connection.fetch(statement("profiles/facts"), source_id, list(user_keys))
    return {row["user_key"]: Facts(row["user_state"], row["profile_exists"], row["known_before"]) for row in rows}
