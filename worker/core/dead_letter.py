"""Dead letters: events set aside for a person, as that person looks at them."""

from dataclasses import dataclass
from datetime import datetime

from worker.core.payload import Payload


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event with its verdict, what refused it, and what would help.

    ``failed_constraint`` refused it, or is the captured key where no constraint did.
    """

    event_id: int
    source_id: int
    kind: str
    user_key: str
    verdict: str
    message: str
    hint: str
    attempts: int
    created_at: datetime
    dead_at: datetime
    sqlstate: str | None = None
    failed_constraint: str | None = None
    failed_column: str | None = None
    correlation_id: str | None = None
    referencing_table: str | None = None
    constraint_name: str | None = None
    writer_role: str | None = None
    waits_for_event: int | None = None
    payload: Payload | None = None


@dataclass(frozen=True, slots=True)
class LetterFilter:
    """Which dead letters are meant: those that fit all that is given. ``before``: only older events than that one."""

    event_ids: tuple[int, ...] = ()
    verdict: str | None = None
    constraint: str | None = None
    user_key: str | None = None
    before: int | None = None
