"""Why a reference cannot become a foreign key as things are: said before anything is changed."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from worker.core.constrain.index_plan import index_steps
from worker.core.constrain.picture import Picture
from worker.core.constrain.wish import Wish
from worker.core.wording import HOW_TO_SEE_ALL


class Ground(Enum):
    """What kind of thing stands in the way."""

    REFERENCE = "reference"
    RIGHTS = "rights"
    SERVER = "server"


@dataclass(frozen=True, slots=True)
class Refusal:
    """One thing in the way, and what helps."""

    ground: Ground
    reference: str
    what: str
    helps: str


def refusals(wish: Wish, picture: Picture) -> Iterator[Refusal]:
    """Yield everything that stands in the way of the wish."""
    name = wish.reference.name
    if wish.reference.stranger is not None:
        yield Refusal(Ground.REFERENCE, name, wish.reference.why_unread, f"--reference '{name}' constrains it all the same")
    if picture.circumstances.is_standby:
        yield Refusal(Ground.SERVER, name, "the server is a standby", "lead PGMEND_DATABASE_URL to the primary")
    for ground, what, helps in (*_types(picture), *_key(wish, picture), *_partitions(wish, picture)):
        yield Refusal(ground, name, what, helps)
    for needed in lacking(picture):
        helps = HOW_TO_SEE_ALL if needed.startswith("BYPASSRLS") else "connect as the owner of the tables, or grant it"
        yield Refusal(Ground.RIGHTS, name, f"this role lacks {needed}", helps)


def lacking(picture: Picture) -> list[str]:
    """Return the rights that the steps need and this role does not have."""
    owned = [f"the ownership of {relation.table}" for relation in picture.relations if not relation.is_ours]
    makes_none = picture.circumstances.may_create or not index_steps(picture)
    create = [] if makes_none else [f"CREATE on the schema of {picture.root.table}"]
    return [*owned[:1], *picture.circumstances.lacking, *create]


Reason = tuple[Ground, str, str]

_OTHER_TYPE = (
    "map legacy keys with pgmend repair, then fill a new column of the right type, "
    "or alter column … type … using …, which rewrites the table under a lock"
)


def _types(picture: Picture) -> Iterator[Reason]:
    for mismatch in picture.circumstances.mismatches:
        yield (
            Ground.REFERENCE,
            f"the types differ: {mismatch} (the server says 42804)",
            _OTHER_TYPE,
        )


def _key(wish: Wish, picture: Picture) -> Iterator[Reason]:
    facts = picture.circumstances
    if not facts.has_unique_key:
        what = f"{facts.referenced_table} ({facts.referenced_list}) is not unique, and a key cannot lead there"
        yield Ground.REFERENCE, what, f"{facts.making_unique};"
    standing = picture.keys_of(picture.root)
    if standing and not standing[0].is_enforced:
        what = f"the key {standing[0].name} of {picture.root.table} stands NOT ENFORCED, which nothing validates"
        yield Ground.REFERENCE, what, "drop it, or alter constraint … enforced, which reads the table under a lock"
    if standing:
        return
    if wish.name is not None and picture.root.key_name != wish.name:
        what = f"another constraint of {picture.root.table} has the name {wish.name}"
        yield Ground.REFERENCE, what, "give the key another one with --name"
    if wish.on_delete == "set null" and facts.required_columns:
        what = f"on delete set null, but {', '.join(facts.required_columns)} may not be null"
        yield Ground.REFERENCE, what, "choose another --on-delete, or drop the NOT NULL"


def _partitions(wish: Wish, picture: Picture) -> Iterator[Reason]:
    for relation in picture.relations:
        if relation.kind == "other":
            yield Ground.REFERENCE, f"{relation.table} is neither a table nor partitioned", "only those hold foreign keys"
    if not picture.is_partitioned or picture.keys_of(picture.root):
        return
    for relation in picture.relations[1:]:
        for key in picture.keys_of(relation):
            wished = (wish.on_delete or "no action", wish.checked or "immediate", False)
            if (key.on_delete, key.checked, key.is_peculiar) != wished:
                differs = f"on delete {key.on_delete}, {key.checked}"
                what = f"the partition {relation.table} has a key {key.name} of its own that differs: {differs}"
                yield Ground.REFERENCE, what, "ask for the same with --on-delete and --deferrable, or drop that key"
