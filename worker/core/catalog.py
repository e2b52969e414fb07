"""What the catalog of an application's database says, as far as attaching asks: tables, keys, writers, what is attached."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True, slots=True)
class Column:
    """One column. ``quoted`` is its name as it stands in SQL; ``kind`` what kind of key its type makes, if any."""

    name: str
    quoted: str
    type_name: str
    base_type: str
    kind: str | None
    is_required: bool
    default: str | None = None
    is_generated: bool = False
    is_identity: bool = False


@dataclass(frozen=True, slots=True)
class UniqueKey:
    """A primary key or another unique index that is valid, immediate, and whole."""

    columns: tuple[str, ...]
    is_primary: bool = False


@dataclass(frozen=True)
class Table:
    """One table. ``quoted`` is its name with the schema, as it stands in SQL."""

    schema_name: str
    relation_name: str
    quoted: str
    columns: tuple[Column, ...]
    unique_keys: tuple[UniqueKey, ...]
    hides_rows: bool = False

    @cached_property
    def by_name(self) -> Mapping[str, Column]:
        """Return the columns by their names."""
        return {column.name: column for column in self.columns}

    @property
    def primary_key(self) -> tuple[str, ...]:
        """Return the columns of the primary key; none if there is none."""
        return next((key.columns for key in self.unique_keys if key.is_primary), ())

    def is_unique(self, column: str) -> bool:
        """Return whether a row is known by this column alone."""
        return any(key.columns == (column,) for key in self.unique_keys)


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """One foreign key. ``quoted``, ``referencing_table`` and ``referenced_table`` are written as they stand in SQL.

    ``owner_is_trusted``: whoever owns the referencing table has the rights of the calling role anyway.
    """

    name: str
    quoted: str
    referencing_table: str
    referenced_table: str
    referencing_columns: tuple[str, ...]
    referenced_columns: tuple[str, ...]
    owner: str
    owner_is_trusted: bool = True
    may_have_a_trigger: bool = True
    is_deferrable: bool = False
    is_deferred: bool = False
    is_enforced: bool = True
    is_of_a_partition: bool = False


@dataclass(frozen=True, slots=True)
class Writer:
    """A role that may insert into some of the tables; ``quoted`` as it stands in SQL."""

    quoted: str
    is_everybody: bool
    tables: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Guard:
    """A guard that stands."""

    source_id: int
    referencing_table: str
    constraint_name: str
    mode: str
    replay_function: str | None = None
    replayed_error_type: str = "INSERT_REPLAYED"
    unknown_user_grace: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """An attached source. The tables are written as they stand in SQL."""

    source_id: int
    users_table: str
    users_key: str
    profiles_table: str
    profiles_key: str
    recipe: Mapping[str, str]
    recipe_function: str | None = None
    eligible_when: str = "true"
    erased_when: str = "false"


@dataclass(frozen=True, slots=True)
class Catalog:
    """All of it."""

    tables: tuple[Table, ...]
    foreign_keys: tuple[ForeignKey, ...] = ()
    sources: tuple[Source, ...] = ()
    guards: tuple[Guard, ...] = ()

    def table(self, quoted: str) -> Table | None:
        """Return the table of that name, as it stands in SQL."""
        return next((table for table in self.tables if table.quoted == quoted), None)
