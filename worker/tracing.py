"""Tracing, as the path sees it: it is told what was settled. Here nothing is made of that; in ``worker/spans.py`` spans are."""

from worker.core.outcome import Outcome
from worker.store.outbox import ExpressBatch


class Tracing:
    """No spans. ``links``: of how many sign-ups of an express batch the traceparent is wanted."""

    links = 0

    def saw_express_batch(self, batch: ExpressBatch, seconds: float) -> None:
        """Hear of an express batch that is committed, and took so long."""

    def saw_outcome(self, outcome: Outcome) -> None:
        """Hear of an event of the careful lane, once its batch is committed."""

    async def finish(self, *, within: float) -> None:
        """Send what is still to be sent, for at most so many seconds."""
