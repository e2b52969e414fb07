"""The stop: requested once, heard everywhere."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class Stop:
    """A graceful stop that anybody can request, ask for, or wait for."""

    def __init__(self) -> None:
        """Start unrequested."""
        self._requested = asyncio.Event()
        self._listeners: list[Callable[[], None]] = []

    def is_requested(self) -> bool:
        """Return whether the stop was requested."""
        return self._requested.is_set()

    def request(self) -> None:
        """Request the stop: no further claim; what is in flight is finished."""
        self._requested.set()
        for listener in self._listeners:
            listener()

    def on_request(self, listener: Callable[[], None]) -> None:
        """Have ``listener`` called when the stop is requested, to wake what waits."""
        self._listeners.append(listener)

    async def wait(self, seconds: float | None = None) -> bool:
        """Wait for the stop, at most ``seconds``; return whether it is requested."""
        try:
            async with asyncio.timeout(seconds):
                await self._requested.wait()
        except TimeoutError:
            pass
        return self.is_requested()

    async def cuts_short(self, work: Coroutine[Any, Any, None]) -> None:
        """Do the work, and cancel it when the stop is requested: for work that loses nothing by that."""
        working, stopping = asyncio.ensure_future(work), asyncio.ensure_future(self.wait())
        try:
            await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                await working
        finally:
            for task in (working, stopping):
                task.cancel()
            await asyncio.gather(working, stopping, return_exceptions=True)
