"""The sweeper: the periodic search for users without a profile that no event announced, for what lies too long, for orphans.

One sweeps at a time among many workers.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field

import asyncpg

from worker.core.audit import AuditEntry
from worker.core.meters import Meters
from worker.core.retention import Keeping
from worker.core.source_failure import SourceFailure
from worker.core.vitals import Pulse
from worker.counting import count, examine
from worker.log import Log
from worker.pruning import Pruning
from worker.runtime.orphan_watch import OrphanWatch
from worker.runtime.reconnecting import LostConnectionError, session
from worker.runtime.stopping import Stop
from worker.store import error_logs, pauses, profiles, retention
from worker.store.connection import Connection, Target, failure_of, is_lost

_REST_FOR_EACH_SECOND_SWEPT = 20.0
_STATEMENTS_OF_A_SWEEP = 6


@dataclass(slots=True)
class Sweeper:
    """Sweeps at the start and then every ``interval`` seconds, or more rarely where a sweep takes long.

    In between it looks every ``look_interval`` seconds whether each source works: that costs little, and is known soon.
    """

    target: Target
    stop: Stop
    log: Log
    interval: float = 60.0
    batch_size: int = 10_000
    watch: OrphanWatch = field(default_factory=lambda: OrphanWatch(0, 0))
    """Looks for orphans after a sweep."""
    pruning: Pruning = field(default_factory=lambda: Pruning(Keeping()))
    """Lets go what was kept long enough, after a sweep."""
    meters: Meters = field(default_factory=Meters)
    pulse: Pulse = field(default_factory=Pulse)
    look_interval: float = 60.0

    async def run(self) -> None:
        """Sweep until the stop, which cancels a sweep under way: the next one finds the same."""
        while not self.stop.is_requested():
            started = time.perf_counter()
            await self.stop.cuts_short(self._sweep_once())
            took = time.perf_counter() - started
            await self._rest(max(self.interval, took * _REST_FOR_EACH_SECOND_SWEPT))

    async def _rest(self, seconds: float) -> None:
        while seconds > 0 and not self.stop.is_requested():
            pause = min(seconds, self.look_interval)
            self.pulse.expect(pause, "rests until the next sweep")
            await self.stop.wait(pause)
            seconds -= pause
            if seconds > 0:
                await self.stop.cuts_short(self._in_a_session(self._look))

    async def _in_a_session(self, work: Callable[[Connection], Awaitable[None]]) -> None:
        try:
            async with session(self.target, self.log, self.stop, self.pulse) as connection:
                await work(connection)
        except LostConnectionError as error:
            self.meters.connections_lost.add("sweeper")
            self.log.warning("connection_lost", role="sweeper", reason=str(error))
        except asyncpg.PostgresError as error:
            # For whatever reason: a source that cannot be swept must not end the worker that heals everybody else.
            self.meters.sweeps.add("failed")
            self.meters.saw_error(error.sqlstate or "")
            self.log.warning("sweep_failed", sqlstate=error.sqlstate, reason=failure_of(error).message)

    async def _sweep_once(self) -> None:
        await self._in_a_session(self._sweep_and_watch)

    async def _sweep_and_watch(self, connection: Connection) -> None:
        started = time.perf_counter()
        await self._sweep_all(connection)
        self.pulse.expect(None, "counts orphans")
        await self.watch.look(connection, self.log)
        self.meters.sweep_duration.add(time.perf_counter() - started)

    async def _look(self, connection: Connection) -> None:
        self.pulse.expect(_STATEMENTS_OF_A_SWEEP * self.target.longest_answer, "looks whether the sources work")
        self._tell(await examine(connection, self.pulse))

    def _tell(self, failing: Mapping[int, SourceFailure]) -> None:
        for source_id, it in failing.items():
            self.log.error(
                "source_failed", source_id=source_id, sqlstate=it.failure.sqlstate, reason=it.failure.message, events=it.events
            )

    async def _sweep_all(self, connection: Connection) -> None:
        more = True
        while more and not self.stop.is_requested():
            self.pulse.expect(_STATEMENTS_OF_A_SWEEP * self.target.longest_answer, "sweeps")
            more = await sweep(connection, self.log, most=self.batch_size, meters=self.meters, pulse=self.pulse)
        self.pulse.expect(_STATEMENTS_OF_A_SWEEP * self.target.longest_answer, "counts users")
        self._tell(await count(connection, self.pulse))
        self.pulse.expect(_STATEMENTS_OF_A_SWEEP * self.target.longest_answer, "lets go what was kept long enough")
        await prune(connection, self.log, self.pruning, self.meters)


async def sweep(connection: Connection, log: Log, *, most: int, meters: Meters | None = None, pulse: Pulse | None = None) -> bool:
    """Sweep once, unless another worker does; return whether there may be more than ``most`` users to find."""
    started = time.perf_counter()
    meters = meters or Meters()
    async with connection.transaction():
        if not await profiles.lock_sweep(connection):
            meters.sweeps.add("left_to_another")
            return False
        found = await _sweep_each(connection, log, most=most, meters=meters, pulse=pulse or Pulse())
        entries = [_entry(source_id, users) for source_id, users in found.items() if users]
        if entries:
            await error_logs.record(connection, entries)
        paused = await pauses.paused(connection)
    meters.sweep_finds.add(by=sum(found.values()))
    log.info(
        "sweep_finished",
        users_without_profile=sum(found.values()),
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


async def _sweep_each(connection: Connection, log: Log, *, most: int, meters: Meters, pulse: Pulse) -> dict[int, int]:
    """Sweep each source in a savepoint, so that one that fails hides no other; return how many users were found, by source."""
    found: dict[int, int] = {}
    source_ids = await retention.sources(connection)
    for source_id in source_ids:
        pulse.go_on()
        try:
            async with connection.transaction():
                found[source_id] = await profiles.sweep(connection, source_id, most=most)
        except asyncpg.PostgresError as error:
            if is_lost(error, connection):
                raise
            meters.saw_error(error.sqlstate or "")
            log.warning("sweep_failed", source_id=source_id, sqlstate=error.sqlstate, reason=failure_of(error).message)
    meters.sweeps.add("finished" if len(found) == len(source_ids) else "failed")
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
