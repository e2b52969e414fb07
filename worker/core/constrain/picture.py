"""What the catalog shows of one reference, and of the server. Tables and indexes are named with their schema, quoted."""

from dataclasses import dataclass
from typing import Literal

from worker.core.constrain.wish import Checked
from worker.core.reference import OnDelete

_NOT_VALID_ON_PARTITIONED_SINCE = 18


@dataclass(frozen=True, slots=True)
class Relation:
    """The referencing table, or a partition of it. ``key_name`` and ``index_name``: what would be made there is called so."""

    table: str
    kind: Literal["table", "partitioned", "other"]
    above: str | None
    is_ours: bool
    key_name: str
    index_name: str


@dataclass(frozen=True, slots=True)
class Key:
    """A foreign key that says what the reference says. ``is_peculiar``: on update or match are not the usual ones."""

    table: str
    name: str
    is_validated: bool
    on_delete: OnDelete
    checked: Checked
    is_peculiar: bool
    is_inherited: bool
    is_enforced: bool = True


@dataclass(frozen=True, slots=True)
class Index:
    """An index that begins with the columns. ``serves`` the key's searches; ``is_plain``: as one is made for a key."""

    table: str
    name: str
    is_valid: bool
    serves: bool
    is_plain: bool
    above: str | None
    is_being_built: bool


@dataclass(frozen=True, slots=True)
class Guarding:
    """Whether a key of the reference can be guarded, and the names of those on the table that are."""

    is_guardable: bool
    guarded: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What holds for the reference as a whole. ``column_list`` and ``referenced_list`` are quoted, for SQL."""

    server_major: int
    is_standby: bool
    referenced_table: str
    column_list: str
    referenced_list: str
    required_columns: tuple[str, ...]
    mismatches: tuple[str, ...]
    has_unique_key: bool
    making_unique: str
    lacking: tuple[str, ...]
    may_create: bool


@dataclass(frozen=True, slots=True)
class Picture:
    """All that is known of one reference. ``is_clean``: the orphans have been counted, and there are none."""

    relations: tuple[Relation, ...]
    keys: tuple[Key, ...]
    indexes: tuple[Index, ...]
    circumstances: Circumstances
    guarding: Guarding | None = None
    is_clean: bool = False

    @property
    def root(self) -> Relation:
        """Return the referencing table itself."""
        return self.relations[0]

    @property
    def leaves(self) -> tuple[Relation, ...]:
        """Return what holds rows: the table, or its partitions."""
        return tuple(relation for relation in self.relations if relation.kind != "partitioned")

    @property
    def is_partitioned(self) -> bool:
        """Return whether the referencing table is."""
        return self.root.kind == "partitioned"

    @property
    def takes_not_valid(self) -> bool:
        """Return whether the referencing table takes a key that is NOT VALID; a partitioned one does since Postgres 18."""
        return not self.is_partitioned or self.circumstances.server_major >= _NOT_VALID_ON_PARTITIONED_SINCE

    def keys_of(self, relation: Relation) -> list[Key]:
        """Return the equivalent keys of one table, those first that are to be used."""
        found = [key for key in self.keys if key.table == relation.table]
        return sorted(found, key=lambda key: (not key.is_inherited, not key.is_validated, not key.is_enforced, key.name))

    def indexes_of(self, relation: Relation) -> list[Index]:
        """Return the indexes of one table."""
        return [index for index in self.indexes if index.table == relation.table]

    def below(self, relation: Relation) -> list[Relation]:
        """Return the partitions of one table."""
        return [other for other in self.relations if other.above == relation.table]
