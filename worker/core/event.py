"""An event: one outbox row, something to put right for one user."""

from dataclasses import dataclass
from typing import Literal

from worker.core import trace
from worker.core.failure import Failure
from worker.core.trace import Trace


@dataclass(frozen=True, slots=True)
class Capture:
    """What is known of an insert that failed.

    ``referencing_table`` is a name, for people; the database is told ``referencing_oid``, because to look up a name takes the
    right to use its schema. ``row_image`` is JSON text: each captured column with its value as text, or null.
    ``unknown_user_grace`` is in seconds. ``user_seen``: the user existed when the insert was captured. ``is_guarded``: the
    constraint leads to a profile. ``referenced_capture``: the row refers to another captured row, which waits to be replayed, or
    is a dead letter.
    """

    referencing_table: str
    referencing_oid: int
    constraint_name: str | None
    row_image: str
    writer_role: str
    writer_claims: str | None
    waiting_for: str | None
    user_seen: bool
    replayed_error_type: str
    unknown_user_grace: float
    is_guarded: bool = True
    referenced_capture: Literal["waiting", "dead"] | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One outbox row of the careful lane. ``capture`` is None for a sign-up; ``age`` is in seconds, by the server's clock."""

    event_id: int
    source_id: int
    user_key: str
    attempts: int
    age: float
    correlation_id: str | None = None
    last_failure: Failure | None = None
    capture: Capture | None = None

    @property
    def kind(self) -> str:
        """Return the event's kind as the outbox writes it."""
        return "user_created" if self.capture is None else "insert_failed"

    @property
    def attempt(self) -> int:
        """Return the number of the handling that is under way, from 1."""
        return self.attempts + 1

    @property
    def trace(self) -> Trace | None:
        """Return where in which trace the application wrote the event, if its correlation id says so."""
        return trace.parse(self.correlation_id)
