"""A worker that kills itself at its N-th statement: ``python -m tests.support.dying_worker N before|sent [COMMAND …]``.

``before``: statement N never leaves the process. ``sent``: it does, and the process is dead before the answer comes. A statement
is whatever the worker has the server run, on any of its connections: begin, savepoint and commit as well.
"""

import itertools
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any

import asyncpg

from worker.__main__ import main

_connect = asyncpg.connect


class DyingProtocol:
    """Stands between a connection and its wire, and counts."""

    def __init__(self, protocol: Any, numbers: "itertools.count[int]", last: int, *, sends: bool) -> None:
        """Die at statement number ``last``, before or (``sends``) after it is sent."""
        self._protocol = protocol
        self._numbers = numbers
        self._last = last
        self._sends = sends

    def __getattr__(self, name: str) -> Any:
        return getattr(self._protocol, name)

    async def query(self, *arguments: Any, **options: Any) -> Any:
        """Run a statement without parameters."""
        return await self._run(self._protocol.query(*arguments, **options))

    async def bind_execute(self, *arguments: Any, **options: Any) -> Any:
        """Run a prepared statement."""
        return await self._run(self._protocol.bind_execute(*arguments, **options))

    def _run(self, statement: Coroutine[Any, Any, Any]) -> Coroutine[Any, Any, Any]:
        if next(self._numbers) == self._last:
            if self._sends:
                statement.send(None)  # runs up to where it waits for the answer
            os.kill(os.getpid(), signal.SIGKILL)
        return statement


async def connect_to_die(wire: Callable[[Any], DyingProtocol], *arguments: Any, **options: Any) -> Any:
    """Open a connection whose statements are counted."""
    connection: Any = await _connect(*arguments, **options)
    connection._protocol = wire(connection._protocol)
    return connection


def die_at(last: int, when: str, command: Sequence[str]) -> int:
    """Run a command that dies at that statement; return its exit status where it had fewer."""
    dying = partial(DyingProtocol, numbers=itertools.count(1), last=last, sends=when == "sent")
    asyncpg.connect = partial(connect_to_die, dying)
    return main(command)


if __name__ == "__main__":
    sys.exit(die_at(int(sys.argv[1]), sys.argv[2], sys.argv[3:] or ["run"]))
