"""What the doctor looks at: the catalog, the schema pgmend, and users without profile. It changes nothing that stays."""

import json
from typing import Any

import asyncpg

from worker.core.doctor.keys import Guard, Key
from worker.core.doctor.rights import Audit, Opening, WorkerRole, Writer
from worker.core.doctor.server import Server
from worker.core.doctor.sources import OwnerState, SourceState
from worker.core.doctor.triggers import Trigger
from worker.core.doctor.users import MOST_COUNTED, Absences
from worker.core.doctor.wording import Source
from worker.core.doctor.work import MOST_EVENTS, Backlog, Letters
from worker.store.connection import Connection
from worker.store.statements import statement


async def limit(connection: Connection, *, statement_seconds: float, lock_seconds: float) -> None:
    """Set short limits until the end of the transaction, and let no bell ring."""
    limits = (f"{int(seconds * 1000)}" for seconds in (statement_seconds, lock_seconds))
    await connection.execute(statement("doctor/limit"), *limits)


async def server(connection: Connection) -> Server:
    """Return who answers."""
    return Server(**_only(await connection.fetch(statement("doctor/server"))))


async def backend(connection: Connection) -> int:
    """Return the process id of the backend that serves this transaction."""
    return int(await connection.fetchval(statement("doctor/backend")))


async def backlog(connection: Connection) -> Backlog:
    """Return what waits in the outbox."""
    return Backlog(**_only(await connection.fetch(statement("doctor/backlog"), MOST_EVENTS)))


async def letters(connection: Connection) -> list[Letters]:
    """Return the dead letters by verdict."""
    return [Letters(**row) for row in await connection.fetch(statement("doctor/letters"))]


async def judged_role(connection: Connection, named: str | None) -> tuple[str | None, str]:
    """Return whose rights are judged as the worker's, and the role of this connection. None: there is no role of that name."""
    row = _only(await connection.fetch(statement("doctor/judged_role"), named))
    return row["judged"], row["own"]


async def worker_role(connection: Connection, role: str | None = None) -> WorkerRole:
    """Return a role, that of this connection unless another is named, and what is known of pgmend_worker."""
    return WorkerRole(**_only(await connection.fetch(statement("doctor/worker_role"), role)))


async def lacking_rights(connection: Connection, role: str | None = None) -> list[str]:
    """Return what pgmend_worker holds and a role does not."""
    return [row["lacking"] for row in await connection.fetch(statement("doctor/lacking_rights"), role)]


async def writers(connection: Connection, role: str | None = None) -> list[Writer]:
    """Return the roles that have captured rows, or may capture them, and whether a worker of that role replays for them."""
    return [Writer(**row) for row in await connection.fetch(statement("doctor/writers"), role)]


async def openings(connection: Connection) -> list[Opening]:
    """Return what is open to public, anon or authenticated beyond the captures."""
    return [Opening(**row) for row in await connection.fetch(statement("doctor/openings"))]


async def audit(connection: Connection, role: str | None = None) -> Audit | None:
    """Return the audit table as a worker of that role meets it, or None when the view on it is gone."""
    rows = await connection.fetch(statement("doctor/audit"), role)
    return Audit(**_tuples(rows[0])) if rows else None


async def sources(connection: Connection) -> list[SourceState]:
    """Return every source with its present state."""
    return [_source_state(_tuples(row)) for row in await connection.fetch(statement("doctor/sources"))]


async def altered(connection: Connection) -> list[int]:
    """Return the ids of the sources whose sign-up function was altered. Takes the rights of the installer."""
    return [row["source_id"] for row in await connection.fetch(statement("doctor/altered"))]


async def owners(connection: Connection) -> list[OwnerState]:
    """Return what the owner of each source's functions may do."""
    return [OwnerState(**_tuples(row)) for row in await connection.fetch(statement("doctor/owners"))]


async def triggers(connection: Connection) -> list[Trigger]:
    """Return the application's own triggers on users tables and profiles tables."""
    return [Trigger(**row) for row in await connection.fetch(statement("doctor/triggers"))]


async def keys(connection: Connection) -> list[Key]:
    """Return the foreign keys to the profiles."""
    return [Key(**row) for row in await connection.fetch(statement("doctor/keys"))]


async def guards(connection: Connection) -> list[Guard]:
    """Return the guards."""
    return [Guard(**row) for row in await connection.fetch(statement("doctor/guards"))]


async def absences(connection: Connection, source: Source) -> Absences:
    """Return how many eligible users of a source have no profile."""
    query = await connection.fetchval(statement("doctor/absences"), source.source_id, MOST_COUNTED)
    return Absences(source, **_only(await connection.fetch(query)))


async def candidates(connection: Connection, source: Source, *, most: int) -> list[tuple[str, str]]:
    """Return kind and key of eligible users without profile, at most so many of each kind."""
    query = await connection.fetchval(statement("doctor/candidates"), source.source_id, most)
    return [(row["kind"], row["user_key"]) for row in await connection.fetch(query)]


async def announced(connection: Connection, source: Source, *, most: int) -> list[tuple[str, str]]:
    """Return the same without a look at the users table. Writes events: roll it back."""
    await connection.execute(statement("doctor/announce"), source.source_id, most)
    rows = await connection.fetch(statement("doctor/announced"), source.source_id, most)
    return [("an announced user", row["user_key"]) for row in rows]


async def reads_users(connection: Connection, source: Source) -> bool:
    """Return whether this role may read the tables of a source."""
    return bool(await connection.fetchval(statement("doctor/reads_users"), source.source_id))


async def try_recipe(connection: Connection, source: Source, user_key: str) -> str:
    """Heal one user, or raise what the profiles table says. Roll it back."""
    return str(await connection.fetchval(statement("doctor/try_recipe"), source.source_id, user_key))


_OF_THE_SOURCE = (
    "source_id",
    "users_table",
    "users_key",
    "profiles_table",
    "profiles_key",
    "recipe_function",
    "eligible_when",
    "erased_when",
    "key_type",
)


def _source_state(fields: dict[str, Any]) -> SourceState:
    recipe = json.loads(fields.pop("recipe"))
    source = Source(recipe=recipe, **{name: fields.pop(name) for name in _OF_THE_SOURCE})
    return SourceState(source, **fields)


def _tuples(row: asyncpg.Record) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}


def _only(rows: list[asyncpg.Record]) -> dict[str, Any]:
    (row,) = rows
    return dict(row)
