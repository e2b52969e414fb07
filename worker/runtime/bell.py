"""The bell inside one worker: rings coalesce, and whoever waits learns why it was woken."""

import asyncio


class Bell:
    """Rung by the listener and the stop; one consumer waits on each bell."""

    def __init__(self) -> None:
        """Start silent, and hearing."""
        self._rung = asyncio.Event()
        self.deaf = False
        """Whether LISTEN cannot work: the consumer polls instead."""
        self.lease_ran_out = False
        """Whether a worker ended that was relied on: events may lie anywhere, and the lease wants clearing anew."""

    def ring(self) -> None:
        """Wake the consumer, now or as soon as it would wait."""
        self._rung.set()

    async def wait(self, seconds: float) -> bool:
        """Wait for a ring, at most ``seconds``; return whether it rang."""
        try:
            async with asyncio.timeout(max(seconds, 0)):
                await self._rung.wait()
        except TimeoutError:
            return False
        self._rung.clear()
        return True
