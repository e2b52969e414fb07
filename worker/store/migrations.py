"""Migrations: ``sql/migrations/NNNN_noun.sql``, forward only, applied in one transaction or not at all."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import asyncpg

from worker.core.rendering import LOCK_TIMEOUT
from worker.errors import (
    ErrorLogsShapeError,
    EventsPendingError,
    MigrationDriftError,
    NotMigratedError,
    PgmendError,
    SchemaNewerError,
)
from worker.store.connection import Connection, explained
from worker.store.locks import PAUSES_SECONDS, patiently
from worker.store.statements import sql_directory, statement

_LOCK_POLL_SECONDS = 0.2
_ERRORS: dict[str, type[PgmendError]] = {"PM010": ErrorLogsShapeError, "PM011": EventsPendingError}


@dataclass(frozen=True)
class Migration:
    """One file."""

    path: Path

    @property
    def version(self) -> int:
        """Return the number that the file's name begins with."""
        return int(self.path.name[:4])

    @property
    def name(self) -> str:
        """Return the file's name without its ending."""
        return self.path.stem

    @cached_property
    def text(self) -> str:
        """Return the SQL."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def sha256(self) -> str:
        """Return the checksum by which drift is seen."""
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Status:
    """Which migrations are applied, and which are not."""

    applied: tuple[Migration, ...]
    pending: tuple[Migration, ...]


def all_migrations() -> tuple[Migration, ...]:
    """Return the migrations of this version of pgmend, in order."""
    return tuple(Migration(path) for path in sorted((sql_directory() / "migrations").glob("[0-9]*.sql")))


async def status(connection: Connection) -> Status:
    """Return what is applied and what is pending. Raises on drift, and on a schema newer than this package."""
    recorded = await _recorded(connection)
    known = all_migrations()
    _refuse_newer(recorded, known)
    for migration in known:
        if migration.version in recorded and recorded[migration.version] != migration.sha256:
            raise MigrationDriftError(
                f"the applied migration {migration.name} differs from the file",
                detail=f"applied {recorded[migration.version][:12]}, file {migration.sha256[:12]}",
                hint="install the version of pgmend that was applied, or restore the file; migrations are never edited",
            )
    applied = tuple(migration for migration in known if migration.version in recorded)
    return Status(applied, tuple(migration for migration in known if migration.version not in recorded))


async def apply(
    connection: Connection, *, error_logs_table: str, lock_timeout: float = 30.0, pauses: Sequence[float] = PAUSES_SECONDS
) -> Status:
    """Apply what is pending, all of it or nothing, and return what was pending and what is applied now.

    Waits up to ``lock_timeout`` seconds for another one who migrates, and for tables as ``patiently`` does: workers and
    sign-ups hold them meanwhile, in an order of their own.
    """

    async def act() -> Status:
        await _lock(connection, lock_timeout)
        await connection.execute(f"set local lock_timeout = '{LOCK_TIMEOUT}'")
        before = await status(connection)
        await connection.execute("select set_config('pgmend.error_logs_table', $1, true)", error_logs_table)
        for migration in before.pending:
            await connection.execute(migration.text)
            await connection.execute(statement("migrations/record"), migration.version, migration.name, migration.sha256)
        return before

    try:
        before = await patiently(connection, act, pauses)
    except asyncpg.PostgresError as error:
        raise _explained(error) from error
    return Status(applied=all_migrations(), pending=before.pending)


async def require_current(connection: Connection) -> None:
    """Raise unless the schema is the one that this package works with."""
    try:
        state = await status(connection)
    except asyncpg.PostgresError as error:
        raise explained(error) from error
    if state.pending:
        raise NotMigratedError(
            "the database is not migrated",
            detail=f"{len(state.pending)} pending, first {state.pending[0].name}",
            hint="run pgmend migrate",
        )


async def uninstall(connection: Connection, *, discard_events: bool, pauses: Sequence[float] = PAUSES_SECONDS) -> bool:
    """Remove everything but the audit table; return whether there was anything.

    Raises EventsPendingError when captured rows would be lost.
    """

    async def act() -> bool:
        await _lock(connection, 30.0)
        was_there = bool(await connection.fetchval(statement("migrations/stands")))
        await connection.execute("select set_config('pgmend.discard_events', $1, true)", "yes" if discard_events else "no")
        await connection.execute(uninstall_text())
        return was_there

    try:
        return await patiently(connection, act, pauses)
    except asyncpg.PostgresError as error:
        raise _explained(error) from error


def uninstall_text() -> str:
    """Return the SQL that removes pgmend."""
    return (sql_directory() / "operations" / "uninstall.sql").read_text(encoding="utf-8")


async def _recorded(connection: Connection) -> dict[int, str]:
    exists = await connection.fetchval("select to_regclass('pgmend.migrations') is not null")
    if not exists:
        return {}
    rows = await connection.fetch(statement("migrations/applied"))
    return {row["version"]: row["sha256"] for row in rows}


def _refuse_newer(recorded: dict[int, str], known: tuple[Migration, ...]) -> None:
    newest = known[-1].version
    if recorded and max(recorded) > newest:
        raise SchemaNewerError(
            "the schema is newer than this worker",
            detail=f"migration {max(recorded)} is applied, this version knows {newest}",
            hint="upgrade pgmend",
        )


async def _lock(connection: Connection, lock_timeout: float) -> None:
    deadline = asyncio.get_running_loop().time() + lock_timeout
    while not await connection.fetchval(statement("migrations/lock")):
        if asyncio.get_running_loop().time() > deadline:
            raise PgmendError(
                "another migration is under way",
                detail=f"waited {lock_timeout:.0f} s",
                hint="wait for it, then try again",
            )
        await asyncio.sleep(_LOCK_POLL_SECONDS)


def _explained(error: asyncpg.PostgresError) -> PgmendError:
    kind = _ERRORS.get(error.sqlstate or "")
    if kind is None:
        return explained(error)
    return kind(str(error.args[0]), hint=getattr(error, "hint", None) or "")
