"""``pgmend constrain`` that kills itself at its N-th change: ``python -m tests.support.dying_constrain N before|sent ARGUMENT…``.

A change is a statement that creates, alters or drops, and the commit behind one. ``before`` and ``sent`` are as in dying_worker.
"""

import itertools
import sys
from functools import partial
from typing import Any

import asyncpg

from tests.support.dying_worker import DyingProtocol, connect_to_die
from worker.__main__ import main

_CHANGES = ("create ", "alter ", "drop ")


class DyingAtChanges(DyingProtocol):
    """Counts what changes something, and lets everything else pass."""

    is_changed = False

    async def query(self, text: str, *arguments: Any, **options: Any) -> Any:
        """Run a statement without parameters."""
        is_commit = text.lower().startswith("commit") and self.is_changed
        self.is_changed = text.startswith(_CHANGES)
        if is_commit or self.is_changed:
            return await super().query(text, *arguments, **options)
        return await self._protocol.query(text, *arguments, **options)

    async def bind_execute(self, *arguments: Any, **options: Any) -> Any:
        """Run a prepared statement."""
        return await self._protocol.bind_execute(*arguments, **options)


if __name__ == "__main__":
    dying = partial(DyingAtChanges, numbers=itertools.count(1), last=int(sys.argv[1]), sends=sys.argv[2] == "sent")
    asyncpg.connect = partial(connect_to_die, dying)
    sys.exit(main(["constrain", *sys.argv[3:]]))
