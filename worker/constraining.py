"""The path of a reference to a valid foreign key: look, plan, do the first step, and look again, until nothing is left.

Nothing is remembered from step to step but that no orphan was counted, so an interruption anywhere costs nothing but the step.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import assert_never

import asyncpg

from worker.core.blocker import Blocker, described
from worker.core.constrain.plan import Plan, make_plan
from worker.core.constrain.step import (
    AddKey,
    AttachIndex,
    AwaitIndex,
    CountOrphans,
    CreateIndex,
    CreateIndexOnly,
    DropIndex,
    GuardKey,
    Step,
    ValidateKey,
    duration,
)
from worker.core.constrain.wish import Wish
from worker.core.reference import People
from worker.errors import PgmendError
from worker.locking import Denial, Locking, NotYetError, Patience
from worker.refusing import refuse
from worker.store import constraints, locks, orphans
from worker.store.connection import Connection

_SILENCE_SECONDS = 2.0
"""A step that takes longer is told of, so often."""
_MOST_TRIES = 3
"""Another run may drop an index that it takes for left behind; more often than that somebody works against us."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one reference: what was done, and the orphans that keep it from going on, by reason."""

    wish: Wish
    key_name: str
    done: tuple[str, ...]
    orphans: dict[str, int]
    notes: tuple[str, ...]


@dataclass(slots=True)
class Constraining:
    """One run, on a connection that changes things and another that watches it."""

    connection: Connection
    watching: Connection
    patience: Patience
    say: Callable[[str], None]
    _locking: Locking = field(init=False)
    _told_at: float = 0.0
    _told_step: Step | None = None
    _orphans: int = 0

    def __post_init__(self) -> None:
        self._locking = Locking(self.connection, self.watching, self.patience, self._tell_denial, self._tell_wait)

    async def plan(self, wish: Wish, *, is_clean: bool = False) -> Plan:
        """Return what is left to do."""
        async with self.connection.transaction(readonly=True):
            return make_plan(wish, await constraints.picture(self.connection, wish, is_clean=is_clean))

    async def texts(self, plan: Plan) -> list[str]:
        """Return the SQL of each step of a plan."""
        return [await constraints.text(self.connection, plan.wish.reference, step) for step in plan.steps]

    async def carry_out(self, wish: Wish) -> Outcome:
        """Do everything that is left, or stop at the orphans."""
        first = await self.plan(wish)
        done: dict[Step, str] = {}
        tries = Counter[Step]()
        is_clean = False
        self._orphans = 0
        while True:
            step, text = await self._locking.patiently(partial(self._next, wish, is_clean=is_clean))
            if step is None:
                break
            if self._orphans:
                return Outcome(wish, first.key_name, tuple(done.values()), await self._reasons(wish), first.notes)
            is_clean = is_clean or isinstance(step, CountOrphans)
            tries[step] += 1
            if tries[step] > _MOST_TRIES:
                raise PgmendError("a step was undone by somebody else", detail=text, hint="run this again when nobody interferes")
            done[step] = text
        last = await self.plan(wish)
        return Outcome(wish, last.key_name, tuple(done.values()), {}, last.notes)

    async def _next(self, wish: Wish, *, is_clean: bool) -> tuple[Step | None, str]:
        plan = await self.plan(wish, is_clean=is_clean)
        refuse(plan.refusals)
        if not plan.steps:
            return None, ""
        step = plan.steps[0]
        text = await constraints.text(self.connection, wish.reference, step)
        self._tell_step(step, text)
        await self._perform(wish, step, text)
        return step, text

    async def _perform(self, wish: Wish, step: Step, text: str) -> None:
        match step:
            case AwaitIndex():
                builders = await locks.builders(self.connection, step.index)
                raise NotYetError(f"{step.index} is being built by another session", builders)
            case CreateIndex() | DropIndex():
                await locks.unlimit(self.connection)
                await self.connection.execute(text)
            case CountOrphans():
                async with self.connection.transaction(readonly=True):
                    await self._locking.limit(is_instant=False)
                    self._orphans = await constraints.count_orphans(self.connection, wish.reference, step)
            case ValidateKey():
                await self._validate(wish, step, text)
            case CreateIndexOnly() | AttachIndex() | AddKey() | GuardKey():
                await self._locking.change(text, is_instant=duration(step) == "an instant")
            case _ as never:
                assert_never(never)

    async def _validate(self, wish: Wish, step: Step, text: str) -> None:
        """Validate; an orphan that came between the count and the key is counted as the others are."""
        try:
            await self._locking.change(text, is_instant=duration(step) == "an instant")
        except asyncpg.ForeignKeyViolationError:
            count = CountOrphans(wish.reference.referencing_table, wish.reference.referenced_table)
            self._orphans = await constraints.count_orphans(self.connection, wish.reference, count)
            if not self._orphans:
                raise

    async def _reasons(self, wish: Wish) -> dict[str, int]:
        people = [who for who, is_readable in (await constraints.people(self.connection)).items() if is_readable]
        return await self._count_reasons(wish, people)

    async def _count_reasons(self, wish: Wish, people: Sequence[People]) -> dict[str, int]:
        async with self.connection.transaction(readonly=True):
            await self._locking.limit(is_instant=False)
            selection = await orphans.selection(self.connection, wish.reference, people)
            return await constraints.count_reasons(self.connection, selection)

    def _tell_step(self, step: Step, text: str) -> None:
        self._told_at = 0.0
        if step != self._told_step:
            self.say(f"  {text};" if text else "  -- another session builds an index: it is waited for")
        self._told_step = step

    def _tell_denial(self, denial: Denial) -> None:
        who = described(denial.blockers) or "nobody was seen in the way"
        self.say(f"    attempt {denial.attempt} was not granted its locks, the next in {denial.delay:.1f} s ({who})")

    async def _tell_wait(self, pid: int, seconds: float, blockers: tuple[Blocker, ...]) -> None:
        if seconds - self._told_at < _SILENCE_SECONDS:
            return
        self._told_at = seconds
        progress = await constraints.progress(self.watching, pid)
        parts = [f"{seconds:.0f} s", progress or "", f"waiting for {described(blockers)}" if blockers else ""]
        self.say("    " + "; ".join(part for part in parts if part))
