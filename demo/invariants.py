"""The invariants: promises against facts, one SQL query each. Every query gives what it found, and among how many."""

from dataclasses import dataclass

from demo.statements import invariant_names, statement
from worker.store.connection import Connection

EXPECTED = 0
"""Every invariant counts violations."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One invariant, how many violations were found among how many things looked at."""

    name: str
    found: int
    checked: int
    expected: int = EXPECTED

    @property
    def holds(self) -> bool:
        """Return whether what was found is what was expected."""
        return self.found == self.expected

    def as_json(self) -> dict[str, object]:
        """Return it under the names that ``--json`` promises."""
        return {
            "invariant": self.name,
            "found": self.found,
            "expected": self.expected,
            "checked": self.checked,
            "ok": self.holds,
        }


async def check(connection: Connection, folder: str = "invariants") -> list[Verdict]:
    """Check every invariant of a folder against the database; what the clients were told must have been written down."""
    verdicts = []
    for name in invariant_names(folder):
        row = await connection.fetchrow(statement(name))
        assert row is not None  # an aggregate without group by always returns a row
        verdicts.append(Verdict(title(name), row["found"], row["checked"]))
    return verdicts


def explain(*folders: str) -> str:
    """Return every invariant with the query that checks it."""
    names = [name for folder in folders or ("invariants",) for name in invariant_names(folder)]
    return "\n".join(f"== {title(name)}\n\n{statement(name)}" for name in names)


def title(name: str) -> str:
    """Return an invariant's name for people: ``invariants/04_captured_inserts_lost`` is ``captured inserts lost``."""
    return name.rpartition("/")[2][3:].replace("_", " ")
