"""What keeps the demo from being played.

DemoError
├── StageError     no database, or the schema could not be installed
└── WorkerError    a worker did not come up, or ended by itself
"""

import asyncpg

from worker.embedded import EmbeddedError
from worker.errors import PgmendError
from worker.store.connection import explained


class DemoError(Exception):
    """The root. ``str()`` is one line: what happened, and after an arrow what to do."""

    def __init__(self, what: str, *, hint: str) -> None:
        """Keep the two parts apart."""
        super().__init__(what)
        self.what = what
        self.hint = hint

    def __str__(self) -> str:
        """Return the one line that a person reads."""
        return f"{self.what} -> {self.hint}".replace("\n", " ")


class StageError(DemoError):
    """There is no database to play on."""


class WorkerError(DemoError):
    """A worker did not do what it was started for."""


def first_of(error: BaseException) -> BaseException:
    """Return the error itself, or the first that a task group has collected."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def one_line(error: BaseException) -> str | None:
    """Return the line that a person reads; None for an error that is a mistake of the demo itself."""
    match error:
        case DemoError() | PgmendError():
            return str(error)
        case EmbeddedError():
            return " -> ".join(part for part in (error.message, error.hint) if part)
        case asyncpg.PostgresError() | asyncpg.InterfaceError() | OSError():
            return str(explained(error))
        case _:
            return None
