"""The part of a plan that gives a key its supporting index, without which each deleted profile reads the whole table."""

from collections.abc import Iterator

from worker.core.constrain.picture import Index, Picture, Relation
from worker.core.constrain.step import AttachIndex, AwaitIndex, CreateIndex, CreateIndexOnly, DropIndex, Step


def index_steps(picture: Picture) -> list[Step]:
    """Return the steps that are left until each table that holds rows has a supporting index.

    Where each partition has one of its own, only what costs an instant is done for the sake of new partitions.
    """
    if _serves(picture, picture.root):
        return []
    steps = list(_steps(picture, picture.root))
    would_build = any(isinstance(step, CreateIndex) for step in steps)
    return [] if would_build and _each_is_served(picture) else steps


def index_notes(picture: Picture) -> list[str]:
    """Return what a person should know of the indexes: invalid ones that are not ours, and those that new partitions lack."""
    notes = [
        f"{index.name} is invalid and not of pgmend's making: it is left alone"
        for relation in picture.leaves
        for index in picture.indexes_of(relation)
        if not index.is_valid and not _is_ours(index, relation) and not index.is_being_built
    ]
    if picture.is_partitioned and not _serves(picture, picture.root) and not index_steps(picture):
        notes.append("each partition has a supporting index of its own, but a new partition would have none")
    return notes


def _each_is_served(picture: Picture) -> bool:
    begun = any(_is_ours(index, picture.root) for index in picture.indexes_of(picture.root))
    return all(_serves(picture, leaf) for leaf in picture.leaves) and not begun


def _serves(picture: Picture, relation: Relation) -> bool:
    return any(index.serves for index in picture.indexes_of(relation))


def _is_ours(index: Index, relation: Relation) -> bool:
    return index.is_plain and index.name == relation.index_name


def _steps(picture: Picture, relation: Relation) -> Iterator[Step]:
    if relation.kind == "partitioned":
        yield from _partitioned_steps(picture, relation)
    elif _attachable(picture, relation) is None:
        left_behind = [index for index in picture.indexes_of(relation) if _is_ours(index, relation)]
        if any(index.is_being_built for index in left_behind):
            yield AwaitIndex(relation.table, relation.index_name)
            return
        if left_behind:
            yield DropIndex(relation.table, relation.index_name)
        yield CreateIndex(relation.table, relation.index_name, picture.circumstances.column_list)


def _partitioned_steps(picture: Picture, relation: Relation) -> Iterator[Step]:
    own = _attachable(picture, relation)
    if own is None:
        yield CreateIndexOnly(relation.table, relation.index_name, picture.circumstances.column_list)
    name = relation.index_name if own is None else own.name
    for part in picture.below(relation):
        yield from _steps(picture, part)
        found = _attachable(picture, part)
        if found is None or found.above != name:
            part_name = part.index_name if found is None else found.name
            yield AttachIndex(part.table, part_name, relation.table, name)


def _attachable(picture: Picture, relation: Relation) -> Index | None:
    """Return the index of a table that is, or can become, part of the one above. A partitioned one is invalid until complete."""
    found = [
        index for index in picture.indexes_of(relation) if index.is_plain and (index.is_valid or relation.kind == "partitioned")
    ]
    return min(found, key=lambda index: (index.above is None, not _is_ours(index, relation)), default=None)
