"""What a person wishes of a reference, and how that is spelled: ``orders.user_id=profiles.id``, ``bills.org,payer=p.org,id``."""

from dataclasses import dataclass
from typing import Literal

from worker.core.reference import OnDelete, Reference

Checked = Literal["immediate", "deferrable", "deferred"]
"""When a key is checked: at each statement, at each statement unless a transaction defers it, or at commit."""

ON_DELETE = ("no action", "restrict", "cascade", "set null", "set default")


@dataclass(frozen=True, slots=True)
class End:
    """One end of a reference: a table as SQL spells it, and bare names of columns."""

    table: str
    columns: tuple[str, ...]

    def __str__(self) -> str:
        """Return the end as ``Reference.name`` spells it."""
        return f"{self.table}.{','.join(self.columns)}"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to become of one reference. None: as it is, or as it is usual. ``is_guess``: only its column's name asks for it."""

    reference: Reference
    name: str | None = None
    on_delete: OnDelete | None = None
    checked: Checked | None = None
    guard_mode: str | None = None
    not_valid_first: bool = False
    is_guess: bool = False


def read_end(text: str) -> End:
    """Read one end, or raise ValueError. Columns may be quoted; unquoted they are taken letter by letter."""
    parts = _split(text, ".")
    columns = tuple(_bare(column) for column in _split(parts[-1], ","))
    table = ".".join(parts[:-1])
    if not table or not all(columns):
        raise ValueError(f"{text!r} is no table.column")
    return End(table, columns)


def read_reference(text: str) -> tuple[End, End]:
    """Read ``orders.user_id=profiles.id``, or raise ValueError."""
    ends = _split(text, "=")
    if len(ends) != len(("referencing", "referenced")):
        raise ValueError(f"{text!r} is no table.column=table.column")
    referencing, referenced = (read_end(end) for end in ends)
    if len(referencing.columns) != len(referenced.columns):
        raise ValueError(f"{text!r} has more columns on one side than on the other")
    return referencing, referenced


def read_choice(text: str) -> tuple[End, str]:
    """Read ``orders.user_id=cascade``, or raise ValueError."""
    ends = _split(text, "=")
    if len(ends) != len(("reference", "choice")) or not ends[1]:
        raise ValueError(f"{text!r} is no table.column=choice")
    return read_end(ends[0]), ends[1]


def _split(text: str, mark: str) -> list[str]:
    """Split at a mark that stands outside double quotes."""
    parts = [""]
    is_quoted = False
    for letter in text.strip():
        is_quoted ^= letter == '"'
        if letter == mark and not is_quoted:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]


def _bare(name: str) -> str:
    return name[1:-1].replace('""', '"') if len(name) > 1 and name[0] == name[-1] == '"' else name
