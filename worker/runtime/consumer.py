"""The consumer: drains the outbox when the bell rings, and closes the door on lost wake-ups before it sleeps.

Going to sleep after a lease was held, in this order: linger for a moment; clear the lease; take the mark (the next
transaction id); then look again until every transaction below the mark has ended. A writer inserts its event first and reads
the lease afterwards, so whoever saw the old lease has a transaction id below the mark, and its event is found by a look that
begins after its end. Only then does the bell alone suffice. A look that is cut short, by a stop or a kill, leaves the word that
somebody waits; the heartbeat of another worker sees that nobody does, and begins anew with a mark of its own.

A consumer that meets no pressure never takes the lease at all: at a few events a second, every sign-up rings, and a ring costs
nothing that matters.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import asyncpg

from worker import pipeline
from worker.core.failure import FailureClass, classify
from worker.core.meters import Meters
from worker.core.vitals import Pulse
from worker.log import Log
from worker.runtime.bell import Bell
from worker.runtime.reconnecting import LostConnectionError, session
from worker.runtime.stopping import Stop
from worker.store import doorbell
from worker.store.connection import Connection, Target

BUSY_EVENTS = 3
"""A turn that handles so many events at once takes the lease."""

_PAUSE_AFTER_FAILURE = 0.5
_STATEMENTS_WITHOUT_A_WORD = 10
"""More than one event takes, with what begins and ends a batch; each may take as long as a statement may."""

_SHORTEST_LOOK = 0.001
_LONGEST_LOOK = 0.25


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How a consumer waits. All in seconds."""

    poll_interval: float = 30.0
    deaf_poll_interval: float = 1.0
    lease: float = 2.0
    linger: float = 0.005


@dataclass(slots=True)
class Consumer:
    """One connection, one bell, one path."""

    target: Target
    bell: Bell
    stop: Stop
    log: Log
    rhythm: Rhythm
    make_path: Callable[[Connection], pipeline.Path]
    meters: Meters = field(default_factory=Meters)
    pulse: Pulse = field(default_factory=Pulse)
    _lease_until: float = field(default=0.0, init=False)

    async def run(self) -> None:
        """Consume until the stop, through every lost connection."""
        while not self.stop.is_requested():
            try:
                async with session(self.target, self.log, self.stop, self.pulse) as connection:
                    await self._consume(self.make_path(connection))
            except LostConnectionError as error:
                self.meters.connections_lost.add("consumer")
                self.log.warning("connection_lost", role="consumer", reason=str(error))
            except asyncpg.PostgresError as error:
                if classify(error.sqlstate or "") is not FailureClass.TRANSIENT:
                    raise
                self.meters.saw_error(error.sqlstate or "")
                self.log.warning("turn_failed", sqlstate=error.sqlstate, reason=str(error))
                await self.stop.wait(_PAUSE_AFTER_FAILURE)

    async def _consume(self, path: pipeline.Path) -> None:
        now = asyncio.get_running_loop().time
        looked_everywhere = now()
        while not self.stop.is_requested():
            due_in = await self._drain(path)
            if self._lease_until or self.bell.lease_ran_out:
                due_in = await self._fall_asleep(path)
            if self.stop.is_requested():
                break  # its ring may have been used up by a shorter wait
            interval = self.rhythm.deaf_poll_interval if self.bell.deaf else self.rhythm.poll_interval
            self.pulse.expect(interval, "waits for the bell")
            await self.bell.wait(interval if due_in is None else min(interval, due_in))
            if now() - looked_everywhere >= interval:
                path.mark.reset()
                looked_everywhere = now()
        if self._lease_until:
            await doorbell.clear_lease(path.connection)
            await doorbell.ring(path.connection)

    async def _drain(self, path: pipeline.Path) -> float | None:
        """Take turns until nothing is due; return the seconds until something is, or None."""
        while True:
            turn = await self._turn(path)
            if turn.handled >= BUSY_EVENTS:
                await self._hold_lease(path.connection)
            if self.stop.is_requested() or not turn.more:
                return turn.next_due_in

    async def _turn(self, path: pipeline.Path) -> pipeline.Turn:
        self.pulse.expect(_STATEMENTS_WITHOUT_A_WORD * self.target.longest_answer, "takes a turn")
        return await pipeline.turn(path)

    async def _hold_lease(self, connection: Connection) -> None:
        now = asyncio.get_running_loop().time()
        if self._lease_until - now < self.rhythm.lease / 2:
            await doorbell.extend_lease(connection, seconds=self.rhythm.lease)
            self._lease_until = now + self.rhythm.lease

    async def _fall_asleep(self, path: pipeline.Path) -> float | None:
        while not self.stop.is_requested():
            if self._lease_until:
                await self._linger(path)
            self._lease_until = 0.0
            self.bell.lease_ran_out = False
            due_in = await self._look_until_quiet(path, await doorbell.clear_lease(path.connection))
            if not self._lease_until:
                return due_in
        return None

    async def _linger(self, path: pipeline.Path) -> None:
        """Stay awake while events keep coming."""
        now = asyncio.get_running_loop().time
        until = now() + self.rhythm.linger
        while not self.stop.is_requested() and now() < until:
            await self.bell.wait(_SHORTEST_LOOK)
            turn = await self._turn(path)
            if turn.handled:
                await self._hold_lease(path.connection)
                until = now() + self.rhythm.linger

    async def _look_until_quiet(self, path: pipeline.Path, mark: int) -> float | None:
        """Drain until every transaction below the mark had ended before the look began, or the lease is held again."""
        pause = _SHORTEST_LOOK
        while True:
            oldest_running = await doorbell.oldest_running(path.connection)
            due_in = await self._drain(path)
            if self._lease_until or self.stop.is_requested():
                return due_in
            if oldest_running >= mark:
                await doorbell.end_lease(path.connection)
                return due_in
            await self.bell.wait(pause)
            pause = min(pause * 2, _LONGEST_LOOK)
