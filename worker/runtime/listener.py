"""The listener: LISTEN on a connection of its own, proven alive by a heartbeat and proven to hear by a probe.

A closed connection is noticed at once; one that hangs (a blackhole, a half-open TCP connection) by the heartbeat that does not
come back. After every reconnection: LISTEN first, then look at the table. Behind a transaction pooler LISTEN seems to work and
nothing ever arrives, so a second connection rings and the first one has to hear it.
"""

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

import asyncpg

from worker.core.failure import FailureClass, classify
from worker.core.meters import Meters
from worker.core.vitals import Vitals
from worker.errors import SettingsInvalidError
from worker.log import Log
from worker.runtime.bell import Bell
from worker.runtime.reconnecting import LostConnectionError, connect_patiently, session
from worker.runtime.stopping import Stop
from worker.store import doctor, doorbell, workers
from worker.store.connection import Connection, Target, close, failure_of
from worker.store.workers import Identity

_PAUSE_AFTER_FAILURE = 0.5
_SHORTEST_INTERVAL = 0.25
_MISSED_HEARTBEATS = 3


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """How often the connection is proven alive, and how long that may take. Seconds."""

    interval: float = 5.0
    timeout: float = 5.0

    @property
    def silent_after(self) -> float:
        """Return after how many seconds without a sign a worker is taken for dead: the last heartbeat may take its timeout."""
        return _MISSED_HEARTBEATS * self.interval + self.timeout

    def next_in(self, lease_left: float | None) -> float:
        """Return the seconds until the next one. A lease that a worker holds is looked at again when it ends."""
        if lease_left is None or lease_left <= 0:
            return self.interval
        return min(max(lease_left, _SHORTEST_INTERVAL), self.interval)


@dataclass(slots=True)
class Listener:
    """Hears the doorbell for all consumers of this worker."""

    target: Target
    ringing_target: Target
    bells: Sequence[Bell]
    stop: Stop
    log: Log
    heartbeat: Heartbeat
    identity: Identity
    meters: Meters = field(default_factory=Meters)
    vitals: Vitals = field(default_factory=Vitals)
    _was_deaf: bool = False
    _was_connected: bool = False

    async def run(self) -> None:
        """Listen until the stop, through every lost connection."""
        while not self.stop.is_requested():
            try:
                async with session(self.target, self.log, self.stop, self.vitals.listener) as connection:
                    self.meters.reconnects.add(by=self._was_connected)
                    self._was_connected = True
                    await self._listen(connection)
                    await workers.gone(connection, self.identity)
            except LostConnectionError as error:
                self.meters.connections_lost.add("listener")
                self.log.warning("connection_lost", role="listener", reason=str(error))
            except asyncpg.PostgresError as error:
                if classify(error.sqlstate or "") is not FailureClass.TRANSIENT:
                    raise
                self.meters.saw_error(error.sqlstate or "")
                self.log.warning("listening_failed", sqlstate=error.sqlstate, reason=failure_of(error).message)
                await self.stop.wait(_PAUSE_AFTER_FAILURE)

    async def _listen(self, connection: Connection) -> None:
        probe = uuid.uuid4().hex
        heard = asyncio.Event()
        lost = asyncio.Event()

        def on_ring(_connection: object, _pid: int, _channel: str, payload: object) -> None:
            if payload == probe:
                heard.set()
            elif not payload:
                self.meters.rings.add()
                self._ring()

        connection.add_termination_listener(lambda _connection: lost.set())
        await connection.add_listener(doorbell.CHANNEL, on_ring)
        self._ring(lease_ran_out=True)
        self.vitals.listener.expect(None, "rings to see whether it hears")
        self._set_deaf(deaf=not await self._hears(connection, probe, heard))
        while not self.stop.is_requested() and not lost.is_set():
            await self._wait(lost, await self._beat(connection))
        if lost.is_set() and not self.stop.is_requested():
            raise ConnectionResetError("the listening connection was closed")

    async def _hears(self, connection: Connection, probe: str, heard: asyncio.Event) -> bool:
        ringing = await connect_patiently(self.ringing_target, self.log, stop=self.stop)
        try:
            if self.target.url != self.ringing_target.url:
                await _require_same_database(connection, ringing, self.target.setting)
            await doorbell.ring(ringing, probe)
            async with asyncio.timeout(self.heartbeat.timeout):
                await heard.wait()
        except TimeoutError:
            return False
        finally:
            await close(ringing)
        return True

    async def _beat(self, connection: Connection) -> float:
        """Prove that the connection lives; return the seconds until the next time."""
        self.vitals.listener.expect(self.heartbeat.timeout, "proves that its connection lives")
        async with asyncio.timeout(self.heartbeat.timeout):
            left = await doorbell.lease_left(connection)
            if left is not None and left <= 0:
                self._ring(lease_ran_out=True)
            await workers.seen(connection, self.identity, listening=not self._was_deaf, silent_after=self.heartbeat.silent_after)
        return self.heartbeat.next_in(left)

    async def _wait(self, lost: asyncio.Event, seconds: float) -> None:
        """Wait for the next heartbeat, the stop, or the end of the connection."""
        self.vitals.listener.expect(seconds, "waits for the next heartbeat")
        waits = {asyncio.ensure_future(lost.wait()), asyncio.ensure_future(self.stop.wait())}
        try:
            await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def _ring(self, *, lease_ran_out: bool = False) -> None:
        for bell in self.bells:
            bell.lease_ran_out = bell.lease_ran_out or lease_ran_out
            bell.ring()

    def _set_deaf(self, *, deaf: bool) -> None:
        if deaf and not self._was_deaf:
            self.log.warning(
                "listen_unavailable",
                hint="a transaction pooler? set PGMEND_LISTEN_URL to a direct address; polling until then",
            )
        elif not deaf:
            self.log.info("listener_connected")
        self._was_deaf, self.vitals.hears = deaf, not deaf
        for bell in self.bells:
            bell.deaf = deaf
            bell.ring()  # who waits already waits as long as one that hears


async def _require_same_database(listening: Connection, ringing: Connection, setting: str) -> None:
    """Raise before anything is written elsewhere. The older connection is asked last: a restart in between would have cost it."""
    here = await doctor.server(ringing)
    there = await doctor.server(listening)
    if here.identity != there.identity:
        same = "of the same name, on another server" if here.database == there.database else f"{here.database} where the work is"
        raise SettingsInvalidError(
            f"{setting} leads to another database",
            detail=f"it is {there.database} there, {same}",
            hint="a bell is heard in its own database alone: write the direct address of the one in PGMEND_DATABASE_URL",
        )
