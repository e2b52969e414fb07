"""Dead letters: events set aside for a person, as that person looks at them."""

from dataclasses import dataclass
from datetime import datetime

from worker.core.failure import COLUMN_GONE_SQLSTATE
from worker.core.payload import Payload
from worker.core.raised import FiringTrigger

_REFUSED_BY_THE_DATABASE = frozenset({"needs_recipe", "refused"})


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event with its verdict, what refused it, and what would help.

    ``failed_constraint`` refused it, or is the captured key where no constraint did. ``triggers``: which may have raised it,
    where one letter is looked at and nothing else is named.
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
    triggers: tuple[FiringTrigger, ...] = ()

    @property
    def is_sign_up(self) -> bool:
        """Return whether it holds no row: then discarded it is announced again, while the user is eligible without profile."""
        return self.kind == "user_created"

    @property
    def is_nameless(self) -> bool:
        """Return whether the database refused it, and no constraint or column is known to have: then code raised it."""
        is_only_captured = self.failed_constraint == self.constraint_name and self.sqlstate != "23503"
        is_named = self.failed_column is not None or (self.failed_constraint is not None and not is_only_captured)
        return self.verdict in _REFUSED_BY_THE_DATABASE and not is_named and self.sqlstate != COLUMN_GONE_SQLSTATE

    @property
    def refused_table(self) -> str | None:
        """Return the table whose row was refused; None: the profiles table of the source."""
        return None if self.verdict == "needs_recipe" else self.referencing_table


@dataclass(frozen=True, slots=True)
class LetterFilter:
    """Which dead letters are meant: those that fit all that is given. ``before``: only older events than that one."""

    event_ids: tuple[int, ...] = ()
    verdict: str | None = None
    constraint: str | None = None
    user_key: str | None = None
    before: int | None = None
