"""The sweeper: the periodic search for users without a profile that no event announced, for what lies too long, for orphans.

One sweeps at a time among many workers.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import asyncpg

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
from worker.store.connection import Connection, Target, failure_of
from worker.sweeping import prune, sweep

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
