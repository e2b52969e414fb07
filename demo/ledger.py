"""The ledger: what the clients did and what they were told, kept in memory during the storm and written down after it."""

import itertools
import uuid
from collections.abc import Iterable
from dataclasses import astuple, dataclass, field, replace
from typing import Any, Literal

from demo.plan import Customer, Fate
from worker.store.connection import Connection

Answer = Literal["stored", "parked", "collided", "raised"]
Deed = Literal["sign_up", "own_profile", "conversation", "order", "lead", "message", "erasure"]

_COLUMNS = ("intent_id", "act", "moment", "user_id", "answer", "receipt", "row_id", "sqlstate")


@dataclass(frozen=True, slots=True)
class Intent:
    """One call and its answer; the fields are the columns of ``demo.intents``."""

    intent_id: int
    act: Deed
    moment: str
    user_id: uuid.UUID
    answer: Answer
    receipt: int | None = None
    row_id: uuid.UUID | None = None
    sqlstate: str | None = None

    def answered(self, answer: Answer, **said: Any) -> "Intent":
        """Return this intent with its answer, and what was said with it."""
        return replace(self, answer=answer, **said)


@dataclass(slots=True)
class Ledger:
    """All intents so far, and what has to become of every key."""

    intents: list[Intent] = field(default_factory=list)
    people: dict[uuid.UUID, Fate] = field(default_factory=dict)
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def next_number(self) -> int:
        """Return the number of a new intent, which its row carries as well."""
        return next(self._numbers)

    def note(self, intent: Intent) -> None:
        """Write down one answer."""
        self.intents.append(intent)

    def expect(self, customers: Iterable[Customer]) -> None:
        """Write down what has to become of these customers."""
        self.people.update((customer.key, customer.fate) for customer in customers)

    async def write_down(self, connection: Connection) -> None:
        """Store everything in the schema ``demo``, for the invariants."""
        async with connection.transaction():
            await connection.copy_records_to_table(
                "intents", schema_name="demo", records=[astuple(intent) for intent in self.intents], columns=_COLUMNS
            )
            await connection.copy_records_to_table(
                "people", schema_name="demo", records=list(self.people.items()), columns=("user_id", "fate")
            )
            await connection.execute("analyze demo.intents")
            await connection.execute("analyze demo.people")
