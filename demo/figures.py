"""The figures: how long integrity took, how fast the storm was, and which verdicts the events came to."""

from dataclasses import dataclass

import asyncpg

from demo.statements import statement
from worker.store.connection import Connection

BY_COMMITS = "commit to commit"
BY_AUDIT = "audit entries (waited_ms)"


@dataclass(frozen=True, slots=True)
class Waited:
    """How long events waited, in milliseconds; None where there was none."""

    events: int
    p50: float | None
    p99: float | None
    longest: float | None

    @classmethod
    def of(cls, row: asyncpg.Record | None) -> "Waited":
        """Read it from a row."""
        assert row is not None  # an aggregate without group by always returns a row
        figures = [None if row[name] is None else round(row[name], 1) for name in ("p50", "p99", "longest")]
        return cls(row["events"], *figures)


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured. ``measured_by`` says how the waiting times were taken."""

    sign_ups: int
    storm_seconds: float
    healing: Waited
    replay: Waited
    measured_by: str
    verdicts: dict[str, int]

    @property
    def sign_ups_per_second(self) -> float:
        """Return the rate of committed sign-ups, with everything else that the clients did beside them."""
        return self.sign_ups / self.storm_seconds if self.storm_seconds else 0.0


async def measure(connection: Connection, *, sign_ups: int, storm_seconds: float) -> Figures:
    """Take every figure from the database, once integrity is reached."""
    exact = await connection.fetchval("select current_setting('track_commit_timestamp')::boolean")
    if exact:
        healing = await connection.fetchrow(statement("figures/healing_time"))
        replay = await connection.fetchrow(statement("figures/replay_time"))
    else:
        healing = await connection.fetchrow(statement("figures/audited_time"), "MISSING_PROFILE_CREATED")
        replay = await connection.fetchrow(statement("figures/audited_time"), "INSERT_REPLAYED")
    verdicts = {row["verdict"]: row["events"] for row in await connection.fetch(statement("figures/verdicts"))}
    return Figures(sign_ups, storm_seconds, Waited.of(healing), Waited.of(replay), BY_COMMITS if exact else BY_AUDIT, verdicts)
