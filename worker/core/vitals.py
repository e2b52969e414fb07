"""Vital signs: each task says what it does and by when it will be heard of again. Who is late hangs; probes ask nobody else."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

Clock = Callable[[], float]
"""Seconds that only grow."""

_SLACK = 5.0
"""A busy machine makes everybody a little late."""


@dataclass(slots=True)
class Pulse:
    """One task. ``due``: when it will be heard of again at the latest; None while nothing bounds its wait from outside."""

    name: str = "task"
    now: Clock = time.monotonic
    doing: str = "begins"
    due: float | None = None
    is_connected: bool = False
    _within: float | None = field(default=None, init=False)

    def expect(self, seconds: float | None, doing: str) -> None:
        """Say what is done now, and that it takes at most so many seconds."""
        self.doing, self._within = doing, seconds
        self.go_on()

    def go_on(self) -> None:
        """Say that some of it is done, and that the rest takes no longer than was said of the whole."""
        self.due = None if self._within is None else self.now() + self._within + _SLACK

    def overdue(self) -> float:
        """Return by how many seconds the task is late, or zero."""
        return 0.0 if self.due is None else max(self.now() - self.due, 0.0)


@dataclass(slots=True)
class Vitals:
    """The vital signs of one worker.

    ``hears``: the listener has proven that a ring reaches it. ``log_failure``: why the log cannot be written.
    """

    now: Clock = time.monotonic
    listener: Pulse = field(init=False)
    sweeper: Pulse = field(init=False)
    consumers: list[Pulse] = field(default_factory=list, init=False)
    has_started: bool = False
    is_stopping: bool = False
    hears: bool = False
    log_failure: str = ""

    def __post_init__(self) -> None:
        """Begin with nobody at work."""
        self.listener, self.sweeper = Pulse("listener", self.now), Pulse("sweeper", self.now)

    def new_consumer(self) -> Pulse:
        """Return the pulse of one more consumer."""
        pulse = Pulse(f"consumer-{len(self.consumers) + 1}", self.now)
        self.consumers.append(pulse)
        return pulse

    def __iter__(self) -> Iterator[Pulse]:
        return iter([*self.consumers, self.listener, self.sweeper])
