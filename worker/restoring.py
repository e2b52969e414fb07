"""A restore at work: batch by batch, the last one first, each a transaction of its own."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import asyncpg

from worker.errors import RepairBusyError
from worker.repair_run import BUSY, Pacing, explained
from worker.store import quarantine, repairs
from worker.store.connection import Connection
from worker.store.quarantine import RestoredBatch, Wanted

_ABOVE_ALL = 2**63 - 1

Report = Callable[[int, int], None]
"""Told after each batch how many rows were restored so far, and how many refused."""


@dataclass(frozen=True, slots=True)
class Restore:
    """One restore on a settled session. ``search_path``: the operator's, for the application's triggers."""

    connection: Connection
    wanted: Wanted
    search_path: str
    pacing: Pacing
    report: Report

    async def run(self) -> tuple[int, int]:
        """Restore what can be restored; return how many rows were, and how many were refused."""
        if self.wanted.repair_id in {run.repair_id for run in await repairs.unfinished(self.connection)}:
            raise RepairBusyError(
                f"repair {self.wanted.repair_id} is not finished",
                hint="pgmend repair --resume finishes it, pgmend repair --abandon lets it be; then restore",
            )
        restored = refused = 0
        below = _ABOVE_ALL
        begun = time.monotonic()
        while (batch := await self._batch(below)).batch is not None:
            below = batch.batch
            restored, refused = restored + batch.restored, refused + batch.refused
            self.report(restored, refused)
            await self.pacing.rest(begun)
            begun = time.monotonic()
        return restored, refused

    async def _batch(self, below: int) -> RestoredBatch:
        attempt = 0
        while True:
            try:
                return await quarantine.restore(self.connection, self.wanted, below=below, search_path=self.search_path)
            except BUSY as error:
                attempt += 1
                if self.pacing.patience.is_exhausted(attempt):
                    raise RepairBusyError(
                        "somebody is in the way of the restore", detail=str(error), hint="run it again; it goes on where it was"
                    ) from error
                await asyncio.sleep(self.pacing.patience.delay(attempt, 0.5))
            except asyncpg.PostgresError as error:
                meaning = explained(error, self.wanted.repair_id)
                if meaning is None:
                    raise
                raise meaning from error
