"""A diagnosis: how many users have their profile, and what of each reference to the profiles stands and leads somewhere."""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from datetime import datetime

from worker.core.orphans import REASONS, Tally
from worker.core.reference import People, Reference
from worker.core.table_names import orphan_type, shown


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the profiles table. ``initial`` is its default as SQL, empty where there is none."""

    name: str
    type: str
    is_required: bool
    initial: str


@dataclass(frozen=True, slots=True)
class Constraint:
    """A constraint of the profiles table, as SQL."""

    name: str
    definition: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """Users and profiles, counted. ``eligible``: entitled to a profile and not erased; ``missing`` of them have none."""

    users: int
    erased: int
    eligible: int
    profiles: int
    missing: int

    @property
    def percent(self) -> float:
        """Return how many percent of the eligible users have a profile; all of nobody is a hundred."""
        return 100 * (self.eligible - self.missing) / self.eligible if self.eligible else 100.0


@dataclass(frozen=True, slots=True)
class Standing:
    """Users and profiles of one profile source. ``coverage`` is None where it could not be seen, and ``unseen`` says why."""

    people: People
    columns: tuple[Column, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    coverage: Coverage | None = None
    unseen: str = ""


@dataclass(frozen=True, slots=True)
class Examined:
    """One reference and its orphans by reason.

    ``rows`` of the referencing table: None where nobody could say. ``unseen`` says why the orphans are not known, where they are
    not. ``is_denied``: because of a right. ``is_lent``: counted by a function of pgmend, which tells no keys and no times.
    """

    reference: Reference
    index_name: str | None
    seen_column: str | None
    rows: int | None
    rows_are_estimated: bool = True
    tallies: tuple[Tally, ...] = ()
    unseen: str = ""
    index_is_known: bool = True
    is_denied: bool = False
    is_lent: bool = False

    @property
    def name(self) -> str:
        """Return the reference as people write it."""
        return shown_reference(self.reference)

    @property
    def is_guess_of_a_stranger(self) -> bool:
        """Return whether only its name says that it is a reference, in a table of somebody whom nobody trusts."""
        return self.reference.stranger is not None and not self.reference.is_declared

    @property
    def error_type(self) -> str:
        """Return under which name the audit speaks of these orphans."""
        return orphan_type(self.reference.referencing_table)

    @property
    def orphans(self) -> int:
        """Return how many rows lead nowhere."""
        return sum(tally.orphans for tally in self.tallies)

    @property
    def keys(self) -> int:
        """Return how many distinct keys lead nowhere."""
        return sum(tally.keys for tally in self.tallies)

    @property
    def share(self) -> float | None:
        """Return how many percent of the rows are orphans."""
        return None if self.rows is None else min(100 * self.orphans / self.rows, 100.0) if self.rows else 0.0

    @property
    def first_seen(self) -> datetime | None:
        """Return when the oldest orphan was made."""
        return min((tally.first_seen for tally in self.tallies if tally.first_seen), default=None)

    @property
    def last_seen(self) -> datetime | None:
        """Return when the youngest orphan was made."""
        return max((tally.last_seen for tally in self.tallies if tally.last_seen), default=None)

    @property
    def last_hour(self) -> int:
        """Return how many orphans are younger than an hour."""
        return sum(tally.last_hour for tally in self.tallies)

    @property
    def last_day(self) -> int:
        """Return how many orphans are younger than a day."""
        return sum(tally.last_day for tally in self.tallies)

    @property
    def mismatch(self) -> str:
        """Return in words that the two ends have different types, empty where they have not."""
        if self.reference.types_match:
            return ""
        return f"{', '.join(self.reference.referencing_types)} refers to {', '.join(self.reference.referenced_types)}"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Everything that one look has seen."""

    standings: tuple[Standing, ...]
    examined: tuple[Examined, ...]

    @property
    def orphans(self) -> int:
        """Return how many rows lead nowhere, in all tables that could be read."""
        return sum(it.orphans for it in self.examined)

    @property
    def unseen(self) -> tuple[Examined, ...]:
        """Return the references whose orphans nobody could count."""
        return tuple(it for it in self.examined if it.unseen)

    @property
    def reasons(self) -> list[str]:
        """Return the reasons that occur, in the order of the catalogue."""
        occurring = {tally.reason for it in self.examined for tally in it.tallies}
        return [reason for reason in REASONS if reason in occurring]


def shown_reference(reference: Reference) -> str:
    """Return a reference as people write it: ``orders.user_id=profiles.id``."""
    return (
        f"{shown(reference.referencing_table)}.{','.join(reference.referencing_columns)}"
        f"={shown(reference.referenced_table)}.{','.join(reference.referenced_columns)}"
    )


def distinct(references: Iterable[Reference]) -> list[Reference]:
    """Return the references by name, without those that say the same between the same columns under the same key."""
    found: dict[tuple[object, ...], Reference] = {}
    for it in references:
        columns = (it.referencing_table, it.referencing_columns, it.referenced_table, it.referenced_columns)
        found.setdefault((*columns, it.constraint_name), it)
    return sorted(found.values(), key=lambda it: (shown_reference(it), it.constraint_name or ""))


def likely(intended: Iterable[Reference], *, certain: Container[str], left_out: Container[str]) -> list[Reference]:
    """Return those of the intended references that are likely ones, and in none of the tables that are left out.

    A column whose name is ``certain`` may have another type, which is a finding; one that is only named after somebody's role has
    to hold a uuid as the profiles do.
    """
    return [
        it
        for it in intended
        if it.referencing_table not in left_out
        and (it.referencing_columns[0] in certain or (it.types_match and it.referencing_types == ("uuid",)))
    ]
