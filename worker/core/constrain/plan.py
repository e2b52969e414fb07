"""The plan: from the picture of a reference to the steps that are left. Made anew after each step, so nothing is done twice."""

from dataclasses import dataclass

from worker.core.constrain.index_plan import index_notes, index_steps
from worker.core.constrain.picture import Key, Picture, Relation
from worker.core.constrain.refusal import Ground, Refusal, refusals
from worker.core.constrain.step import AddKey, CountOrphans, GuardKey, Step, ValidateKey
from worker.core.constrain.wish import Wish


@dataclass(frozen=True, slots=True)
class Plan:
    """What is left to do for one reference, in order; what stands in the way of it; and what a person should know.

    ``left_out``: why nothing is done for a reference that was only guessed, or is in a table of a stranger; nobody is refused
    what nobody asked for.
    """

    wish: Wish
    key_name: str
    steps: tuple[Step, ...]
    refusals: tuple[Refusal, ...]
    notes: tuple[str, ...]
    left_out: tuple[Refusal, ...] = ()


def make_plan(wish: Wish, picture: Picture) -> Plan:
    """Return the steps that lead from the picture to a valid key. A refusal is none where nothing is left to do."""
    steps = (*index_steps(picture), *_key_steps(wish, picture), *_guard_steps(wish, picture))
    refused = tuple(refusals(wish, picture)) if steps else ()
    is_asked_for = not wish.is_guess and wish.reference.stranger is None
    left_out = tuple(refusal for refusal in refused if not is_asked_for and refusal.ground is Ground.REFERENCE)
    if left_out:
        return Plan(wish, _root_key_name(picture), steps=(), refusals=(), notes=(), left_out=left_out)
    return Plan(
        wish,
        _root_key_name(picture),
        steps=steps,
        refusals=refused,
        notes=(*_key_notes(wish, picture), *index_notes(picture), *_guard_notes(wish, picture)),
    )


def _key_steps(wish: Wish, picture: Picture) -> list[Step]:
    root = _key(picture, picture.root)
    if root is not None and root.is_validated:
        return []
    adding = _adding(wish, picture)
    count = [] if picture.is_clean else [CountOrphans(picture.root.table, picture.circumstances.referenced_table)]
    first = [*adding, *count] if wish.not_valid_first else [*count, *adding]
    validating = [
        ValidateKey(leaf.table, _key_name(picture, leaf), picture.circumstances.referenced_table)
        for leaf in picture.leaves
        if not ((key := _key(picture, leaf)) and key.is_validated)
    ]
    return [*first, *validating, *_completing(wish, picture)]


def _adding(wish: Wish, picture: Picture) -> list[Step]:
    """Return the steps after which each new row is held to the key."""
    if picture.takes_not_valid:
        owns = any(picture.keys_of(relation) for relation in picture.relations[1:])
        return [] if _key(picture, picture.root) else [_add(wish, picture, picture.root, takes_over=owns)]
    return [_add(wish, picture, leaf) for leaf in picture.leaves if _key(picture, leaf) is None]


def _completing(wish: Wish, picture: Picture) -> list[Step]:
    """Return the step that makes the keys of the partitions one valid key of the partitioned table."""
    if not picture.is_partitioned:
        return []
    if picture.takes_not_valid:
        name = _root_key_name(picture)
        return [ValidateKey(picture.root.table, name, picture.circumstances.referenced_table, is_scan=False)]
    return [_add(wish, picture, picture.root, is_not_valid=False, takes_over=True)]


def _add(wish: Wish, picture: Picture, relation: Relation, *, is_not_valid: bool = True, takes_over: bool = False) -> AddKey:
    facts = picture.circumstances
    return AddKey(
        relation.table,
        relation.key_name,
        facts.column_list,
        facts.referenced_table,
        facts.referenced_list,
        on_delete=wish.on_delete or "no action",
        checked=wish.checked or "immediate",
        is_not_valid=is_not_valid,
        takes_over=takes_over,
    )


def _guard_steps(wish: Wish, picture: Picture) -> list[Step]:
    if wish.guard_mode is None or not _may_guard(picture):
        return []
    return [GuardKey(picture.root.table, _root_key_name(picture), wish.guard_mode)]


def _may_guard(picture: Picture) -> bool:
    return (
        picture.guarding is not None
        and picture.guarding.is_guardable
        and not set(picture.guarding.guarded) & {_root_key_name(picture), *(key.name for key in picture.keys_of(picture.root))}
    )


def _key(picture: Picture, relation: Relation) -> Key | None:
    return next(iter(picture.keys_of(relation)), None)


def _key_name(picture: Picture, relation: Relation) -> str:
    """Return the name of the key that stands, or will."""
    key = _key(picture, relation)
    if key is not None:
        return key.name
    return picture.root.key_name if picture.takes_not_valid else relation.key_name


def _root_key_name(picture: Picture) -> str:
    return _key_name(picture, picture.root)


def _key_notes(wish: Wish, picture: Picture) -> list[str]:
    notes = []
    keys = picture.keys_of(picture.root)
    if keys:
        notes += _differences(wish, keys[0])
    for extra in keys[1:]:
        state = "" if extra.is_validated else ", which is not valid"
        notes.append(
            f"two keys say the same: {keys[0].name} is used, and {extra.name}{state} could go "
            f"(on delete {keys[0].on_delete} and {extra.on_delete})"
        )
    if not keys and wish.on_delete is None:
        notes.append("on delete is not given, so it is no action: --on-delete chooses another")
    return notes


def _differences(wish: Wish, key: Key) -> list[str]:
    notes = []
    if wish.name is not None and wish.name != key.name:
        notes.append(f"the key stands under the name {key.name}, and none is made under {wish.name}")
    if wish.on_delete is not None and wish.on_delete != key.on_delete:
        notes.append(f"{key.name} stands with on delete {key.on_delete}, not {wish.on_delete}: it is used as it is")
    if wish.checked is not None and wish.checked != key.checked:
        notes.append(f"{key.name} stands as {key.checked}, not {wish.checked}: it is used as it is")
    return notes


def _guard_notes(wish: Wish, picture: Picture) -> list[str]:
    if picture.guarding is None or (wish.guard_mode is None and not _may_guard(picture)):
        return []
    if wish.guard_mode is None:
        table, name = (text.replace("'", "''") for text in (picture.root.table, _root_key_name(picture)))
        return [
            f"its inserts are not guarded: --guard ensure does it, or select pgmend.guard('{table}', '{name}', mode => 'ensure')"
        ]
    if not picture.guarding.is_guardable:
        return ["it cannot be guarded: it does not lead to the profiles of one source"]
    return []
