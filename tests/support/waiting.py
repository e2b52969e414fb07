"""Waiting for a condition with a deadline, never for the clock."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

_LOOK_EVERY_SECONDS = 0.01


async def eventually(look: Callable[[], Awaitable[T]], *, within: float = 20.0) -> T:
    """Return the first truthy answer of ``look``; fail with the last one after ``within`` seconds."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within
    while True:
        answer = await look()
        if answer:
            return answer
        if loop.time() > deadline:
            raise AssertionError(f"still {answer!r} after {within} s")
        await _turn(loop)


async def _turn(loop: asyncio.AbstractEventLoop) -> None:
    passed: asyncio.Future[None] = loop.create_future()
    timer = loop.call_later(_LOOK_EVERY_SECONDS, passed.set_result, None)
    try:
        await passed
    finally:
        timer.cancel()
