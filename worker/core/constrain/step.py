"""The steps by which a reference becomes a valid foreign key, and what each locks for how long."""

from dataclasses import dataclass
from typing import Literal, TypeAlias, assert_never

from worker.core.constrain.wish import Checked
from worker.core.reference import OnDelete

Mode = Literal["AccessShare", "RowShare", "Share", "ShareUpdateExclusive", "ShareRowExclusive", "AccessExclusive"]
Duration = Literal["an instant", "a scan"]

HINDERED: dict[Mode, str] = {
    "AccessShare": "nobody",
    "RowShare": "nobody",
    "ShareUpdateExclusive": "nobody",
    "Share": "writers",
    "ShareRowExclusive": "writers",
    "AccessExclusive": "readers and writers",
}
"""Whom a lock keeps waiting."""


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock on a table or an index."""

    mode: Mode
    on: str


@dataclass(frozen=True, slots=True)
class CountOrphans:
    """Count the rows that would violate the key."""

    table: str
    referenced_table: str


@dataclass(frozen=True, slots=True)
class CreateIndex:
    """Make an index on a table while it is in use."""

    table: str
    index: str
    column_list: str


@dataclass(frozen=True, slots=True)
class CreateIndexOnly:
    """Make the index of a partitioned table, which stays invalid until each partition has its part."""

    table: str
    index: str
    column_list: str


@dataclass(frozen=True, slots=True)
class AttachIndex:
    """Make the index of a partition part of the index of its partitioned table."""

    table: str
    index: str
    above: str
    index_above: str


@dataclass(frozen=True, slots=True)
class DropIndex:
    """Drop the invalid index that an interrupted CreateIndex has left behind."""

    table: str
    index: str


@dataclass(frozen=True, slots=True)
class AwaitIndex:
    """Wait until another session, or a backend that a killed run has left behind, has built the index."""

    table: str
    index: str


@dataclass(frozen=True, slots=True)
class AddKey:
    """Add the foreign key. ``takes_over``: keys of partitions become part of it, and none of their rows is looked at again."""

    table: str
    name: str
    column_list: str
    referenced_table: str
    referenced_list: str
    on_delete: OnDelete
    checked: Checked
    is_not_valid: bool = True
    takes_over: bool = False


@dataclass(frozen=True, slots=True)
class ValidateKey:
    """Look whether the rows that were there before the key hold it. ``is_scan``: False where its partitions are validated."""

    table: str
    name: str
    referenced_table: str
    is_scan: bool = True


@dataclass(frozen=True, slots=True)
class GuardKey:
    """Let pgmend look after the key's inserts."""

    table: str
    name: str
    mode: str


Step: TypeAlias = (
    CountOrphans | CreateIndex | CreateIndexOnly | AttachIndex | DropIndex | AwaitIndex | AddKey | ValidateKey | GuardKey
)


def locks(step: Step) -> list[Lock]:
    """Return the strongest lock that a step takes on each table or index, in the order in which they are taken."""
    found: list[Lock]
    match step:
        case CountOrphans(table, referenced_table):
            found = [Lock("AccessShare", table), Lock("AccessShare", referenced_table)]
        case CreateIndex(table) | DropIndex(table):
            found = [Lock("ShareUpdateExclusive", table)]
        case AwaitIndex():
            found = []
        case CreateIndexOnly(table):
            found = [Lock("Share", table)]
        case AttachIndex(index=index, index_above=index_above):
            found = [Lock("ShareUpdateExclusive", index_above), Lock("AccessExclusive", index)]
        case AddKey(table=table, referenced_table=referenced_table):
            mode: Mode = "AccessExclusive" if step.takes_over else "ShareRowExclusive"
            found = [Lock("ShareRowExclusive", table), Lock(mode, referenced_table)]
        case ValidateKey(table=table, referenced_table=referenced_table):
            found = [Lock("ShareUpdateExclusive", table)]
            found += [Lock("RowShare", referenced_table)] if step.is_scan else []
        case GuardKey(table=table):
            found = [Lock("ShareRowExclusive", table)]
        case _ as never:
            assert_never(never)
    return found if len({lock.on for lock in found}) == len(found) else found[:1]


def duration(step: Step) -> Duration:
    """Return how long the locks of a step are held."""
    match step:
        case CountOrphans() | CreateIndex() | ValidateKey(is_scan=True):
            return "a scan"
        case CreateIndexOnly() | AttachIndex() | DropIndex() | AwaitIndex() | AddKey() | ValidateKey() | GuardKey():
            return "an instant"
        case _ as never:
            assert_never(never)
