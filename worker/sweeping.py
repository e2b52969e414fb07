"""Sweeping: users without a profile that no event announced are found, and what was kept long enough goes, once.

One sweeps at a time among many workers. One failing source hides no other.
"""

import time
from dataclasses import asdict

import asyncpg

from worker.core.audit import AuditEntry
from worker.core.meters import Meters
from worker.core.vitals import Pulse
from worker.log import Log
from worker.pruning import Pruning
from worker.store import error_logs, pauses, profiles, retention
from worker.store.connection import LOST, Connection, failure_of, is_lost


async def sweep(connection: Connection, log: Log, *, most: int, meters: Meters | None = None, pulse: Pulse | None = None) -> bool:
    """Sweep once, unless another worker does; return whether there may be more than ``most`` users to find."""
    started = time.perf_counter()
    meters = meters or Meters()
    try:
        async with connection.transaction():
            if not await profiles.lock_sweep(connection):
                meters.sweeps.add("left_to_another")
                return False
            found = await _sweep_each(connection, log, most=most, meters=meters, pulse=pulse or Pulse())
            entries = [_entry(source_id, users) for source_id, users in found.items() if users]
            if entries:
                await error_logs.record(connection, entries)
            paused = await pauses.paused(connection)
    except (asyncpg.PostgresError, *LOST):
        meters.sweeps.add("failed")
        raise
    users_without_profile = sum(users or 0 for users in found.values())
    meters.sweeps.add("failed" if None in found.values() else "finished")
    meters.sweep_finds.add(by=users_without_profile)
    log.info(
        "sweep_finished",
        users_without_profile=users_without_profile,
        duration_ms=round((time.perf_counter() - started) * 1000, 1),
    )
    for source in paused:
        log.warning(
            "source_is_paused",
            source_id=source.source_id,
            users_table=source.users_table,
            reason=source.paused_because,
            paused_for_s=round(source.paused_for),
        )
    return any(users == most for users in found.values())


async def _sweep_each(connection: Connection, log: Log, *, most: int, meters: Meters, pulse: Pulse) -> dict[int, int | None]:
    """Sweep each source in a savepoint, so that one that fails hides no other.

    Returns how many users were found, by source: None where the sweep failed.
    """
    found: dict[int, int | None] = {}
    for source_id in await retention.sources(connection):
        pulse.go_on()
        try:
            async with connection.transaction():
                found[source_id] = await profiles.sweep(connection, source_id, most=most)
        except asyncpg.PostgresError as error:
            if is_lost(error, connection):
                raise
            found[source_id] = None
            meters.saw_error(error.sqlstate or "")
            log.warning("sweep_failed", source_id=source_id, sqlstate=error.sqlstate, reason=failure_of(error).message)
    return found


async def prune(connection: Connection, log: Log, pruning: Pruning, meters: Meters | None = None) -> None:
    """Let go what was kept long enough, and what is kept of erased users; say so where there was any."""
    started = time.perf_counter()
    pruned = await pruning.prune(connection)
    (meters or Meters()).expired.add(by=pruned.captured_rows)
    if pruned.captured_rows:
        log.warning("captured_rows_expired", captured_rows=pruned.captured_rows)
    if pruned.dead_letters:
        log.warning("dead_letters_expired", dead_letters=pruned.dead_letters)
    if pruned.rows:
        log.info("pruning_finished", **asdict(pruned), duration_ms=round((time.perf_counter() - started) * 1000, 1))


def _entry(source_id: int, users: int) -> AuditEntry:
    return AuditEntry(
        error_type="USERS_WITHOUT_PROFILE_DETECTED",
        severity="warning",
        message=f"{users} users without a profile were found by the sweep",
        details={"source_id": source_id, "users": users},
    )
