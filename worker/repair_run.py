"""A repair at work: step by step, batch by batch, each a transaction of its own, so that it can end anywhere and go on."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import asyncpg

from worker.core.batch_size import BatchSize
from worker.core.repair_plan import Plan, PlannedStep
from worker.core.retry_policy import RetryPolicy
from worker.core.table_names import orphan_type
from worker.errors import PgmendError, RepairBusyError, RepairRefusedError, TriggerInterferedError
from worker.repair_planning import columns_of
from worker.store import repairs
from worker.store.connection import Connection
from worker.store.locks import NOT_GRANTED
from worker.store.repairs import Batch, NewStep, Step

BUSY = (*NOT_GRANTED, asyncpg.SerializationError)
"""Errors of somebody else's being in the way: the batch is taken again."""

_CANDIDATES_A_PASS = 1_000_000
_LOCK_POLL_SECONDS = 0.1
_REST_OF_A_BATCH = 20.0


@dataclass(frozen=True, slots=True)
class Pacing:
    """How fast a run goes. Times in seconds; ``budget``: rows of one level that are taken along in one batch, about.

    ``pause``: between two batches; None: a twentieth of what the batch took.
    ``takeover``: how long to wait for a session that holds the run, which may be that of somebody just killed.
    """

    batch_size: int | None = None
    pause: float | None = None
    budget: int = 10_000
    takeover: float = 5.0
    patience: RetryPolicy = field(default_factory=lambda: RetryPolicy(first_delay=0.05, longest_delay=2.0, most_attempts=20))

    async def rest(self, since: float) -> None:
        """Pause after a batch that was begun at ``since``, by the monotonic clock."""
        await asyncio.sleep((time.monotonic() - since) / _REST_OF_A_BATCH if self.pause is None else self.pause)


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a step is: so many of about so many rows, in so many seconds of this session."""

    step: Step
    done: int
    taken_here: int
    seconds: float


Report = Callable[[Progress], None]


async def begin(connection: Connection, plan: Plan, *, audit: str, search_path: str) -> int:
    """Write down a run with its steps, all or nothing; return its number."""
    async with connection.transaction():
        repair_id = await repairs.start(connection, json.dumps(plan.as_json()), audit=audit, search_path=search_path)
        for step in plan.acting:
            await repairs.add_step(connection, repair_id, _new_step(step, plan), step.mapping)
    return repair_id


def _new_step(step: PlannedStep, plan: Plan) -> NewStep:
    reference, source = step.where.reference, step.where.source
    user_column = reference.column_of(source.people) if source else None
    place = reference.referencing_columns.index(user_column) if user_column else 0
    return NewStep(
        referencing_table=reference.referencing_table,
        reference=reference.name,
        referenced_table=reference.referenced_table,
        referenced_column=reference.referenced_columns[place],
        changed_columns=columns_of(step),
        constraint_name=reference.constraint_name,
        source_id=source.source_id if source else None,
        selection=step.where.selection,
        error_type=orphan_type(reference.referencing_table),
        reason=step.reason,
        is_sole=not any(it.where.reference == reference and it is not step for it in plan.steps),
        strategy=step.strategy or "",
        argument=step.argument if step.strategy == "reassign" else None,
        rows_planned=step.keys if step.strategy == "heal" else step.rows,
    )


@dataclass(slots=True)
class RepairRun:
    """One run on one settled session. ``search_path``: the operator's, for the application's triggers."""

    connection: Connection
    repair_id: int
    search_path: str
    pacing: Pacing
    report: Report
    size: BatchSize = field(init=False)

    def __post_init__(self) -> None:
        """Start with small batches."""
        self.size = BatchSize(self.pacing.batch_size)

    async def run(self) -> list[Step]:
        """Go on until every step is done; return the steps. Raises RepairBusyError, TriggerInterferedError."""
        await self._take_over()
        for step in await repairs.steps(self.connection, self.repair_id):
            if step.state != "done":
                await self._work(step)
        await repairs.finish(self.connection, self.repair_id, "finished")
        return await repairs.steps(self.connection, self.repair_id)

    async def _take_over(self) -> None:
        deadline = time.monotonic() + self.pacing.takeover
        while not await repairs.lock(self.connection, self.repair_id):
            if time.monotonic() > deadline:
                raise RepairBusyError(
                    f"repair {self.repair_id} is at work in another session",
                    detail=f"waited {self.pacing.takeover:g} s",
                    hint="wait for it, or end that session",
                )
            await asyncio.sleep(_LOCK_POLL_SECONDS)

    async def _work(self, step: Step) -> None:
        """Take passes until one of them misses nothing, or finds nothing."""
        is_open = step.state == "working"  # candidates of an earlier session are there
        started, fruitless = time.monotonic(), 0
        while is_open or await self._collect(step):
            is_open = False
            moved, is_missing_some = await self._pass(step, started)
            if not is_missing_some:
                return
            fruitless = 0 if moved else fruitless + 1
            await self._rest(fruitless, step)

    async def _collect(self, step: Step) -> int:
        return await repairs.collect(self.connection, step.step_id, most=_CANDIDATES_A_PASS)

    async def _pass(self, step: Step, started: float) -> tuple[int, bool]:
        """Take batches to the end of a pass; return how many rows were moved, and whether another pass is due."""
        taken = moved = 0
        begun = time.monotonic()
        while (batch := await self._batch(step)).chosen:
            taken += batch.taken
            moved += batch.taken + batch.along
            self.report(Progress(step, step.rows_done + taken, taken, time.monotonic() - started))
            await self.pacing.rest(begun)
            begun = time.monotonic()
        now = {one.step_id: one for one in await repairs.steps(self.connection, self.repair_id)}[step.step_id]
        return moved, now.state != "done"

    async def _batch(self, step: Step) -> Batch:
        """Take one batch; where somebody is in the way, again, and smaller."""
        attempt = 0
        while True:
            started = time.monotonic()
            try:
                batch = await repairs.batch(
                    self.connection,
                    step.step_id,
                    most=self.size.limit,
                    budget=self.pacing.budget,
                    search_path=self.search_path,
                )
            except BUSY as error:
                attempt += 1
                self.size.failed()
                await self._rest(attempt, step, error)
            except asyncpg.PostgresError as error:
                meaning = explained(error, self.repair_id)
                if meaning is None:
                    raise
                raise meaning from error
            else:
                self.size.recovered()
                self.size.took(time.monotonic() - started)
                return batch

    async def _rest(self, attempt: int, step: Step, error: BaseException | None = None) -> None:
        """Wait before another attempt, longer each time, and not for ever."""
        patience = self.pacing.patience
        if attempt and patience.is_exhausted(attempt):
            raise RepairBusyError(
                f"somebody is in the way of {step.reference}, {step.reason}",
                detail=str(error) if error else "the rows that are left are locked",
                hint="look for long transactions in pg_stat_activity; pgmend repair --resume goes on",
            ) from error
        await asyncio.sleep(patience.delay(attempt, 0.5) if attempt else 0)


def explained(error: asyncpg.PostgresError, repair_id: int) -> PgmendError | None:
    """Return what an error of a batch means, where it is one of ours. The batch was rolled back."""
    if error.sqlstate == "PM031":
        return TriggerInterferedError(
            "a trigger does more to the rows, or less, than was written down",
            detail=str(error.args[0]).partition(": ")[2],
            hint=f"nothing of the batch has happened; disable the trigger, then go on with {repair_id}",
        )
    if isinstance(error, asyncpg.InsufficientPrivilegeError) and "row-level security" in str(error):
        return RepairRefusedError(
            "row-level security hides rows from this role", detail=str(error), hint="use a role with bypassrls"
        )
    return None
