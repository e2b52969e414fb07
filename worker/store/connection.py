"""Connections: how one is opened, and what an error of one means."""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import asyncpg

from worker.core.failure import Failure, FailureClass, classify
from worker.errors import (
    AuthenticationFailedError,
    PgmendError,
    PrivilegeMissingError,
    ServerTooOldError,
    ServerUnfitError,
    ServerUnreachableError,
    SettingsInvalidError,
)

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]
else:
    Connection = asyncpg.Connection  # generic in its stubs only

OLDEST_SERVER = 14
_DATABASE_URL = "PGMEND_DATABASE_URL"

SERVER_FIRST_SECONDS = 1.0
"""The server ends a statement that takes too long; the client gives up so much later, on a connection that hangs."""

LOST = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a statement after the server's last words, before the socket is seen to close
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.ReadOnlySQLTransactionError,
)
"""Errors that say that the connection is gone, or was never there; TimeoutError (an OSError) is one of them."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where and how to connect. Timeouts in seconds. ``setting``: the one that says where, for whoever has to correct it."""

    url: str
    application_name: str = "pgmend"
    connect_timeout: float = 10.0
    statement_timeout: float = 30.0
    prepared_statements: bool = True
    setting: str = _DATABASE_URL

    @property
    def longest_answer(self) -> float:
        """Return after how many seconds a statement has ended, on a connection that hangs as well."""
        return self.statement_timeout + SERVER_FIRST_SECONDS


async def connect(target: Target) -> Connection:
    """Open a connection, or raise an error of this package that says what to do."""
    try:
        connection = await _open(target)
    except (asyncpg.PostgresError, *LOST, ValueError) as error:
        raise explained(error, setting=target.setting) from error
    if connection.get_server_version().major < OLDEST_SERVER:
        version = connection.get_server_version()
        await connection.close()
        raise ServerTooOldError(
            "the server is too old",
            detail=f"Postgres {version.major}",
            hint=f"pgmend needs Postgres {OLDEST_SERVER} or newer",
        )
    return connection


async def _open(target: Target) -> Connection:
    connection: Connection = await asyncpg.connect(
        target.url,
        timeout=target.connect_timeout,
        command_timeout=target.longest_answer,
        statement_cache_size=100 if target.prepared_statements else 0,
        server_settings={"application_name": target.application_name},
    )
    try:
        # Compiling a plan takes longer than any of our statements; and plans are made on empty tables, to be used on large ones.
        # A worker that vanished from the network must not hold its claims until the server's TCP gives up, hours later.
        limit = int(target.statement_timeout * 1000)
        await connection.execute(
            f"set jit = off; set enable_seqscan = off; "
            f"set statement_timeout = {limit}; set idle_in_transaction_session_timeout = {limit}"
        )
    except BaseException:
        connection.terminate()
        raise
    return connection


def explained(error: BaseException, *, setting: str = _DATABASE_URL) -> PgmendError:
    """Return the error of this package that says what a database error means to an operator."""
    for kinds, meaning, what, hint in _MEANINGS:
        if isinstance(error, kinds):
            named, advice = (text.replace(_DATABASE_URL, setting) for text in (what, hint))
            return meaning(named, detail=_first_line(error), hint=advice)
    return PgmendError("the database answered with an error", detail=_first_line(error), hint="look at the server's log")


_WHOSE_LOGIN = (
    "connect as the login that this takes: pgmend run as a member of pgmend_worker, who is on call of pgmend_operator, "
    "what looks at the application's tables or changes them as the role that ran pgmend migrate"
)

_MEANINGS: tuple[tuple[tuple[type[BaseException], ...], type[PgmendError], str, str], ...] = (
    (
        (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidPasswordError),
        AuthenticationFailedError,
        "the server refused the login",
        "check user and password in PGMEND_DATABASE_URL",
    ),
    (
        (asyncpg.InsufficientPrivilegeError,),
        PrivilegeMissingError,
        "a privilege is missing",
        _WHOSE_LOGIN,
    ),
    (
        (asyncpg.InvalidCatalogNameError,),
        ServerUnreachableError,
        "there is no such database",
        "check the database name in PGMEND_DATABASE_URL",
    ),
    (
        (asyncpg.CannotConnectNowError,),
        ServerUnreachableError,
        "the server is not ready",
        "wait until it accepts connections",
    ),
    (
        (asyncpg.TooManyConnectionsError,),
        ServerUnreachableError,
        "the server has no free connection",
        "raise max_connections or run fewer workers",
    ),
    (
        (asyncpg.ClientConfigurationError, asyncpg.UndefinedObjectError, ValueError),
        SettingsInvalidError,
        "PGMEND_DATABASE_URL is wrong",
        "write postgresql://user:password@host:5432/database, with ?sslmode=... where needed and no parameter of another driver",
    ),
    (
        (asyncpg.LockNotAvailableError,),
        PgmendError,
        "a table is locked by somebody else",
        "nothing was changed; try again in a quiet moment",
    ),
    (
        (asyncpg.ReadOnlySQLTransactionError,),
        ServerUnfitError,
        "the server takes no writes",
        "it is a standby, or default_transaction_read_only is on: let PGMEND_DATABASE_URL lead to the primary",
    ),
    (
        LOST,
        ServerUnreachableError,
        "the server cannot be reached",
        "check host and port in PGMEND_DATABASE_URL, and that it runs",
    ),
)


def is_lost(error: BaseException, connection: Connection | None = None) -> bool:
    """Return whether the error means that the connection is gone, which is never an event's fault."""
    return isinstance(error, LOST) or (connection is not None and connection.is_closed())


def is_survived(error: BaseException) -> bool:
    """Return whether the server goes on after the error: a trigger may raise any SQLSTATE, but end a session only as FATAL."""
    return getattr(error, "severity_en", None) == "ERROR"


async def close(connection: Connection, *, within: float = 2.0) -> None:
    """Close politely, or at once when the other end does not answer within so many seconds. Never raises."""
    try:
        async with asyncio.timeout(within):
            await connection.close()
    except (asyncpg.PostgresError, *LOST):
        connection.terminate()


async def wait_for_locks(connection: Connection, *, seconds: float) -> None:
    """Let the statements of this transaction wait so long for a lock, and then fail with 55P03."""
    await connection.execute(f"set local lock_timeout = {max(1, int(seconds * 1000))}")


async def limit_statements(connection: Connection, *, seconds: float, lock_seconds: float) -> None:
    """Let each statement of this transaction take so long, and then fail with 57014, or with 55P03 where it waits for a lock."""
    statement, lock = (max(1, int(limit * 1000)) for limit in (seconds, lock_seconds))
    await connection.execute(f"set local statement_timeout = {statement}; set local lock_timeout = {lock}")


_UNQUOTED = {"22": "the database refused a value", "P0": "a trigger or function raised an error"}
"""What is kept instead of the messages of classes that quote values of the row; pgmend.evidence says the same."""


def failure_of(error: asyncpg.PostgresError | TimeoutError) -> Failure:
    """Return the failure that a database error reports. A detail quotes row values: only what is waited for is kept."""
    if isinstance(error, TimeoutError):
        return Failure("57014", "the statement took too long")
    sqlstate = error.sqlstate or "XX000"
    return Failure(
        sqlstate=sqlstate,
        message=_UNQUOTED.get(sqlstate[:2]) or _first_line(error),
        constraint=getattr(error, "constraint_name", None),
        column=getattr(error, "column_name", None),
        detail=getattr(error, "detail", None) if classify(sqlstate) is FailureClass.WAITING else None,
    )


def _first_line(error: BaseException) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0]
