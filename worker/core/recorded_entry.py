"""Recorded entries: the audit as a person searches it, newest first, page by page."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page ended: the time of its last entry, and its place among those of that moment."""

    at: datetime
    place: str

    def __str__(self) -> str:
        """Return the cursor as text, for an address or a command line."""
        return f"{self.at.isoformat()}@{self.place}"

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """Read the text of a cursor. Raises ValueError."""
        at, _, place = text.partition("@")
        page, comma, number = place.removeprefix("(").removesuffix(")").partition(",")
        if not comma:
            raise ValueError(f"{text!r} is no cursor")
        return cls(datetime.fromisoformat(at), f"({int(page)},{int(number)})")


@dataclass(frozen=True, slots=True)
class RecordedEntry:
    """One row of ``error_logs``."""

    created_at: datetime
    place: str
    error_type: str
    severity: str
    message: str
    user_id: str | None = None
    table_name: str | None = None
    constraint_name: str | None = None
    sqlstate: str | None = None
    attempt: int | None = None
    event_id: int | None = None
    correlation_id: str | None = None
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def cursor(self) -> Cursor:
        """Return the cursor of the page that ends with this entry."""
        return Cursor(self.created_at, self.place)


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries are meant: those that fit all that is given. ``since`` is included, ``until`` is not."""

    user_id: str | None = None
    event_id: int | None = None
    error_type: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    after: Cursor | None = None


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Entries, newest first, and where the next page begins: None where there is none."""

    entries: tuple[RecordedEntry, ...]
    following: Cursor | None
