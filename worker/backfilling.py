"""Backfilling: the missing profiles of a source, made in the order of the users' keys, a batch a transaction.

It can be ended at any moment: what stands stands, and a new run passes over whoever is whole.
"""

import shlex
from collections.abc import Callable
from dataclasses import dataclass

import asyncpg

from worker.core.backfill import BackfillBatch, BackfillResult, Refusal, gathered
from worker.errors import SourcePausedError
from worker.store import profiles
from worker.store.connection import Connection

Progress = Callable[[BackfillResult, BackfillBatch], None]
"""Is told what was done so far, and the batch that was just done."""

_PAUSED = "PM012"


@dataclass(frozen=True, slots=True)
class Backfilling:
    """``batch_size``: users looked at in one transaction. ``dry_run``: each batch is rolled back."""

    connection: Connection
    batch_size: int
    dry_run: bool
    progress: Progress

    async def fill(self, source_id: int, *, after: str | None) -> BackfillResult:
        """Go through the users of a source, after a key (None: all of them). Raises SourcePausedError."""
        done = BackfillResult(source_id, 0, 0, ())
        while True:
            batch = await self._batch(source_id, after)
            if batch.last_key is None:
                return done
            after = batch.last_key
            refusals: tuple[Refusal, ...] = gathered((*done.refusals, *batch.refusals))
            done = BackfillResult(source_id, done.looked + batch.looked, done.healed + batch.healed, refusals)
            self.progress(done, batch)

    async def _batch(self, source_id: int, after: str | None) -> BackfillBatch:
        transaction = self.connection.transaction()
        await transaction.start()
        try:
            batch = await profiles.backfill(self.connection, source_id, after=after, most=self.batch_size)
        except asyncpg.PostgresError as error:
            if not self.connection.is_closed():
                await transaction.rollback()
            if error.sqlstate != _PAUSED:
                raise
            go_on = f" and pgmend heal --all --source {source_id} {shlex.quote(f'--after={after}')}" if after else ""
            hint = f"pgmend resume --source {source_id}{go_on}"
            raise SourcePausedError(
                f"source {source_id} is paused", detail=getattr(error, "detail", None) or "", hint=hint
            ) from error
        await (transaction.rollback() if self.dry_run else transaction.commit())
        return batch
