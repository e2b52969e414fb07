"""What stands in the outbox and among the dead letters."""

from worker.store.connection import Connection


async def due_now(connection: Connection) -> None:
    """Make everything that was released due at once."""
    await connection.execute("update pgmend.careful_events set available_at = clock_timestamp() - interval '1 second'")


async def dead_letters(connection: Connection) -> list[tuple[str, str | None]]:
    """Return verdict and SQLSTATE of every dead letter, oldest event first."""
    rows = await connection.fetch("select verdict, sqlstate from pgmend.dead_letters order by event_id")
    return [(row["verdict"], row["sqlstate"]) for row in rows]


async def released(connection: Connection) -> list[tuple[str, str | None]]:
    """Return the SQLSTATE of the last failure, and what is waited for, of every event that was given back."""
    rows = await connection.fetch(
        "select last_failure ->> 'sqlstate' as sqlstate, waiting_for from pgmend.outbox where attempts > 0 order by event_id"
    )
    return [(row["sqlstate"], row["waiting_for"]) for row in rows]
