"""The supervisor: starts the tasks of one worker, and ends them within the grace period."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

import asyncpg

from worker.core.lost_sessions import LostSessions
from worker.core.meters import Meters
from worker.core.pace import Pace
from worker.core.vitals import Pulse, Vitals
from worker.errors import GracePeriodExceededError, PgmendError
from worker.log import Log
from worker.pipeline import Path
from worker.pruning import Pruning
from worker.runtime.bell import Bell
from worker.runtime.consumer import Consumer, Rhythm
from worker.runtime.listener import Heartbeat, Listener
from worker.runtime.orphan_watch import OrphanWatch
from worker.runtime.stopping import Stop
from worker.runtime.sweeper import Sweeper
from worker.settings import Settings
from worker.store.connection import Connection, explained
from worker.store.workers import Identity
from worker.tracing import Tracing

Error = TypeVar("Error", bound=BaseException)

_ECHO_SECONDS = 0.5
_LONGEST_FAREWELL_SECONDS = 5.0
"""A collector that is away does not hold up a restart for longer."""


@dataclass(frozen=True, slots=True)
class Worker:
    """Everything that one worker process is made of."""

    settings: Settings
    identity: Identity
    log: Log
    stop: Stop
    meters: Meters = field(default_factory=Meters)
    vitals: Vitals = field(default_factory=Vitals)
    tracing: Tracing = field(default_factory=Tracing)

    def __post_init__(self) -> None:
        """Let the probes know of the stop before anything else does."""
        self.stop.on_request(self._say_that_it_stops)

    async def run(self) -> None:
        """Run until the stop is requested, then finish within the grace period, or raise GracePeriodExceededError."""
        tasks = self._tasks()
        self.vitals.has_started = True
        self.log.info("worker_started", consumers=self.settings.consumers, version=self.identity.version)
        running = asyncio.ensure_future(_run_together(tasks))
        stopping = asyncio.ensure_future(self.stop.wait())
        try:
            await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not running.done():
                self.log.info("worker_stopping", grace_period_seconds=self.settings.grace_period_seconds)
            await self._finish(running)
        finally:
            stopping.cancel()
        self.log.info("worker_stopped")

    def listen_to_signals(self, on_second: Callable[[int], None]) -> None:
        """Stop gracefully at the first SIGTERM or SIGINT; ``on_second`` gets the number of the second.

        One that follows at once is the same request: timeout(1) and shells signal the process, and then its group.
        """
        loop = asyncio.get_running_loop()
        patient_until = 0.0

        def on_signal(number: int) -> None:
            nonlocal patient_until
            if self.stop.is_requested():
                if loop.time() >= patient_until:
                    on_second(number)
            else:
                patient_until = loop.time() + _ECHO_SECONDS
                self.log.info("stop_requested", signal=signal.Signals(number).name)
                self.stop.request()

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, on_signal, number)

    async def _finish(self, running: "asyncio.Future[None]") -> None:
        now = asyncio.get_running_loop().time
        until = now() + self.settings.grace_period_seconds
        try:
            async with asyncio.timeout(self.settings.grace_period_seconds):
                await running
        except TimeoutError as error:
            raise GracePeriodExceededError(
                "the graceful stop took too long",
                detail=f"{self.settings.grace_period_seconds:g} s",
                hint="nothing is lost: open transactions were rolled back; raise PGMEND_GRACE_PERIOD_SECONDS if it happens often",
            ) from error
        finally:
            await self.tracing.finish(within=min(until - now(), _LONGEST_FAREWELL_SECONDS))

    def _tasks(self) -> list[Callable[[], Coroutine[Any, Any, None]]]:
        settings = self.settings
        bells = [Bell() for _ in range(settings.consumers)]
        for bell in bells:
            self.stop.on_request(bell.ring)
        listener = Listener(
            target=settings.listen_target,
            ringing_target=settings.target,
            bells=bells,
            stop=self.stop,
            log=self.log,
            heartbeat=Heartbeat(settings.heartbeat_interval_seconds, settings.heartbeat_timeout_seconds),
            identity=self.identity,
            meters=self.meters,
            vitals=self.vitals,
        )
        sweeping = replace(settings.target, statement_timeout=settings.sweep_timeout_seconds)
        watch = OrphanWatch(settings.orphan_check_interval_seconds, settings.sweep_timeout_seconds)
        pruning = Pruning(settings.keeping)
        sweeper = Sweeper(
            sweeping, self.stop, self.log, settings.sweep_interval_seconds, settings.sweep_batch_size, watch, pruning
        )
        sweeper.meters, sweeper.pulse = self.meters, self.vitals.sweeper
        return [listener.run, sweeper.run, *(self._consumer(bell).run for bell in bells)]

    def _say_that_it_stops(self) -> None:
        self.vitals.is_stopping = True

    def _consumer(self, bell: Bell) -> Consumer:
        settings = self.settings
        rhythm = Rhythm(
            poll_interval=settings.poll_interval_seconds,
            deaf_poll_interval=settings.deaf_poll_interval_seconds,
            lease=settings.lease_seconds,
            linger=settings.linger_milliseconds / 1000,
        )
        pace = Pace(settings.express_batch_size)  # these two outlive a connection that a row has cost
        lost = LostSessions()
        pulse = self.vitals.new_consumer()
        make_path = partial(self._path, pace, lost, pulse)
        return Consumer(settings.target, bell, self.stop, self.log, rhythm, make_path, self.meters, pulse)

    def _path(self, pace: Pace, lost: LostSessions, pulse: Pulse, connection: Connection) -> Path:
        settings = self.settings
        return Path(
            connection=connection,
            log=self.log,
            policy=settings.retry_policy,
            pace=pace,
            careful_limit=settings.careful_batch_size,
            lock_timeout=settings.lock_timeout_seconds,
            lost=lost,
            meters=self.meters,
            pulse=pulse,
            tracing=self.tracing,
        )


async def _run_together(tasks: list[Callable[[], Coroutine[Any, Any, None]]]) -> None:
    """Run all of them; the first error ends the others and is raised by itself."""
    try:
        async with asyncio.TaskGroup() as group:
            for task in tasks:
                group.create_task(task())
    except BaseExceptionGroup as group:  # not except*: what is raised within it comes out as a group on Python 3.11.2
        if ours := _first(group, PgmendError):
            raise ours from ours.__cause__
        if theirs := _first(group, asyncpg.PostgresError):
            raise explained(theirs) from theirs
        raise


def _first(group: BaseExceptionGroup[BaseException], kind: type[Error]) -> Error | None:
    found: BaseException | None = group.subgroup(kind)
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found if isinstance(found, kind) else None
