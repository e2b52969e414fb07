"""The database that the story begins with: the sample application without its keys, filled, and remembered as it is."""

import csv
from dataclasses import dataclass
from pathlib import Path

from demo.command import pgmend
from demo.orphans.wishes import LEGACY_KEYS, SYSTEM_USER
from demo.stage import Stage
from demo.statements import sample_application, statement
from worker.store.connection import Connection, Target, close, connect

_PATIENCE_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Shop:
    """The filled database: its rows, orphans by reason, and messages that are none but whose conversation is one.

    ``system_user``: the account that takes over what former customers leave.
    """

    rows: int
    reasons: dict[str, int]
    along: int
    system_user: str

    @property
    def orphans(self) -> int:
        """Return how many rows refer to a profile that is not there."""
        return sum(self.reasons.values())


async def connected(stage: Stage) -> Connection:
    """Return a connection for the demo's own questions, which read whole tables."""
    connection = await connect(Target(stage.url, application_name="pgmend demo", statement_timeout=_PATIENCE_SECONDS))
    await connection.execute("set enable_seqscan = on")
    return connection


async def open_shop(stage: Stage, folder: Path, *, rows: int, seed: int) -> Shop:
    """Make the database: pgmend, the tables without their keys, the rows, the attached source; then remember it."""
    await pgmend(stage.url, "migrate", folder=folder)
    connection = await connected(stage)
    try:
        texts = [statement(f"orphans/{name}") for name in ("shop", "memory", "fill", "remember")]
        for text in (*sample_application("0001_*.sql"), *texts):
            await connection.execute(text)
        await connection.execute("select demo.fill($1, $2)", rows, seed)
        await connection.execute(statement("orphans/attach"))
        await connection.execute("vacuum analyze")
        await connection.execute("select demo.remember()")
        await _write_legacy_keys(connection, folder)
        return await _shop(connection)
    finally:
        await close(connection)


async def _write_legacy_keys(connection: Connection, folder: Path) -> None:
    with (folder / LEGACY_KEYS).open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(await connection.fetch(statement("orphans/legacy_keys")))


async def _shop(connection: Connection) -> Shop:
    tallies = await connection.fetch(statement("orphans/reasons"))
    reasons = {row["reason"]: row["orphans"] for row in tallies}
    return Shop(
        rows=await connection.fetchval("select sum(all_rows)::bigint from demo.checksums_before"),
        along=reasons.pop("along", 0),
        reasons=reasons,
        system_user=str(await connection.fetchval("select id from public.users where full_name = $1", SYSTEM_USER)),
    )
