"""What the server is doing: which backend ran what, and who waits for a lock."""

from collections.abc import Sequence

from asyncpg.transaction import Transaction

from tests.support.waiting import eventually
from worker.store.connection import Connection
from worker.store.statements import statement

LISTENER = ("workers/seen",)
CONSUMER = ("outbox/express", "outbox/observe", "doorbell/mark", "doorbell/oldest_running", "doorbell/end_lease")
"""What a listener or a consumer that sleeps has run last."""


async def asleep(connection: Connection, role: Sequence[str]) -> int:
    """Wait until the backend of a listener or a consumer of this database is idle; return its process id."""
    return await eventually(lambda: _find(connection, role, "idle", "%"))


async def blocked(connection: Connection, name: str) -> int:
    """Wait until a backend of this database waits for a lock in ``sql/statements/NAME.sql``; return its process id."""
    return await eventually(lambda: _find(connection, [name], "active", "Lock"))


async def terminate(connection: Connection, pid: int) -> None:
    """End a backend as an administrator does, and wait until it is gone."""
    await connection.execute("select pg_terminate_backend($1)", pid)

    async def is_gone() -> bool:
        return bool(await connection.fetchval("select not exists (select from pg_stat_activity where pid = $1)", pid))

    await eventually(is_gone)


async def lock_table(connection: Connection, table: str, mode: str = "access exclusive") -> Transaction:
    """Lock a table, by default against everybody, until the returned transaction is rolled back."""
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute(f"lock table {table} in {mode} mode")
    return transaction


async def _find(connection: Connection, names: Sequence[str], state: str, wait_event_type: str) -> int:
    query = """
        select pid from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()
            and split_part(query, e'\n', 1) = any ($1) and state = $2 and coalesce(wait_event_type, '') like $3
        limit 1
    """
    await connection.execute("select pg_stat_clear_snapshot()")  # or a transaction would see the first look for ever
    first_lines = [statement(name).splitlines()[0] for name in names]
    return int(await connection.fetchval(query, first_lines, state, wait_event_type) or 0)
