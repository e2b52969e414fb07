"""Who keeps a statement waiting for a lock."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Blocker:
    """A session in the way. What it runs is not told, since a query quotes values; seconds are None where it may not be seen."""

    pid: int
    application_name: str | None
    role: str | None
    state: str | None
    query_seconds: float | None
    transaction_seconds: float | None

    def __str__(self) -> str:
        """Return who it is, what it does and since when."""
        name = f" ({self.application_name})" if self.application_name else ""
        role = f" of {self.role}" if self.role else ""
        parts = [
            f"{self.state}" if self.state else "",
            "" if self.query_seconds is None else f"last query began {self.query_seconds:.1f} s ago",
            "" if self.transaction_seconds is None else f"transaction {self.transaction_seconds:.1f} s old",
        ]
        known = ", ".join(part for part in parts if part)
        return f"process {self.pid}{name}{role}" + (f": {known}" if known else "")


def described(blockers: tuple[Blocker, ...]) -> str:
    """Return the sessions as one line."""
    return "; ".join(map(str, blockers))
