"""Which references are to become valid keys: those that stand NOT VALID, that names ask for, and that a person names."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from worker.core.constrain.wish import ON_DELETE, Checked, End, Wish, read_choice, read_end, read_reference
from worker.core.reference import Reference
from worker.errors import ReferenceRefusedError
from worker.store import constraints, references
from worker.store.connection import Connection

USUAL_NAMES = ("user_id", "userId", "profile_id", "profileId")
"""A column of such a name should refer to the profiles, even where no key says so of any."""

_CHECKED: dict[str, Checked] = {"immediate": "immediate", "deferrable": "deferrable", "deferred": "deferred"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person has said on the command line, as it was spelled."""

    references: Sequence[str] = ()
    only: Sequence[str] = ()
    names: Sequence[str] = ()
    on_delete: Sequence[str] = ()
    deferrable: Sequence[str] = ()
    guard_mode: str | None = None
    not_valid_first: bool = False
    audit_table: str = ""


async def gather(connection: Connection, asked: Asked) -> list[Wish]:
    """Return the wish for each reference, in the order of their names. Raises ReferenceRefusedError for what does not exist."""
    found = await _found(connection, asked)
    named = [await _named(connection, text) for text in asked.references]
    audit_table = await constraints.spelled(connection, asked.audit_table) if asked.audit_table else None
    if any(it.referencing_table == audit_table for it in named):
        raise ReferenceRefusedError(f"{audit_table} is the audit", hint="it also names users who are gone, and takes no key")
    wishes = {_meaning(it): _wish(it, asked, is_guess=not it.is_declared) for it in found}
    wishes |= {_meaning(it): _wish(it, asked, is_guess=False) for it in named}
    for text in asked.names:
        _choose(wishes, *await _choice(connection, text), _with_name)
    for text in asked.on_delete:
        _choose(wishes, *await _choice(connection, text, ON_DELETE), _with_on_delete)
    for text in asked.deferrable:
        spelled = text if "=" in text else f"{text}=deferrable"
        _choose(wishes, *await _choice(connection, spelled, _CHECKED), _with_checked)
    kept = await _only(connection, list(wishes.values()), asked.only)
    return sorted(kept, key=lambda wish: wish.reference.name)


def _wish(it: Reference, asked: Asked, *, is_guess: bool) -> Wish:
    return Wish(it, guard_mode=asked.guard_mode, not_valid_first=asked.not_valid_first, is_guess=is_guess)


async def _found(connection: Connection, asked: Asked) -> list[Reference]:
    found: list[Reference] = []
    audit_table = await constraints.spelled(connection, asked.audit_table) if asked.audit_table else None
    for source in await constraints.people(connection):
        declared = await references.declared(connection, source.profiles_table)
        found += [reference for reference in declared if not reference.is_validated]
        found += await references.intended(connection, source.profiles_table, source.profiles_key, names=USUAL_NAMES)
    return [reference for reference in found if reference.referencing_table != audit_table]


async def _named(connection: Connection, text: str) -> Reference:
    try:
        ends = read_reference(text)
    except ValueError as error:
        raise ReferenceRefusedError(str(error), hint="write --reference orders.user_id=profiles.id") from error
    tables = [await _table(connection, end) for end in ends]
    (referencing, *_), (referenced, *_) = tables
    found = await references.named(connection, (referencing, *ends[0].columns), (referenced, *ends[1].columns))
    if found is None:
        raise ReferenceRefusedError(
            f"a column of {text} does not exist", hint="columns are spelled letter by letter, as \\d prints them"
        )
    return found


async def _table(connection: Connection, end: End) -> tuple[str]:
    name = await constraints.spelled(connection, end.table)
    if name is None:
        raise ReferenceRefusedError(f"there is no table {end.table}", hint="name its schema, and quote a name with capitals")
    return (name,)


async def _choice(connection: Connection, text: str, known: Iterable[str] | None = None) -> tuple[End, str]:
    try:
        end, chosen = read_choice(text)
    except ValueError as error:
        raise ReferenceRefusedError(str(error), hint="write --on-delete 'orders.user_id=cascade'") from error
    if known is not None and chosen not in known:
        raise ReferenceRefusedError(f"there is no choice {chosen} for {end}", hint=f"the choices are {', '.join(known)}")
    return replace(end, table=(await _table(connection, end))[0]), chosen


def _with_name(wish: Wish, chosen: str) -> Wish:
    return replace(wish, name=chosen)


def _with_on_delete(wish: Wish, chosen: str) -> Wish:
    return replace(wish, on_delete=chosen)


def _with_checked(wish: Wish, chosen: str) -> Wish:
    return replace(wish, checked=_CHECKED[chosen])


def _choose(wishes: dict[tuple[object, ...], Wish], end: End, chosen: str, apply: Callable[[Wish, str], Wish]) -> None:
    """Write a choice into each wish whose referencing end it names."""
    places = [place for place, wish in wishes.items() if _end(wish) == str(end)]
    if not places:
        raise ReferenceRefusedError(
            f"{end} is no reference that is to be constrained", hint=f"add --reference '{end}=table.column', or mind the spelling"
        )
    for place in places:
        wishes[place] = apply(wishes[place], chosen)


async def _only(connection: Connection, wishes: list[Wish], only: Sequence[str]) -> list[Wish]:
    if not only:
        return wishes
    wanted = set()
    for text in only:
        try:
            end = read_end(text.partition("=")[0])
        except ValueError as error:
            raise ReferenceRefusedError(str(error), hint="write --only orders.user_id") from error
        wanted.add(str(replace(end, table=(await _table(connection, end))[0])))
    missing = wanted - {_end(wish) for wish in wishes}
    if missing:
        raise ReferenceRefusedError(f"{min(missing)} is no reference that is to be constrained", hint="it may be valid already")
    return [wish for wish in wishes if _end(wish) in wanted]


def _end(wish: Wish) -> str:
    return str(End(wish.reference.referencing_table, wish.reference.referencing_columns))


def _meaning(it: Reference) -> tuple[object, ...]:
    """Return what two spellings of one reference have in common."""
    pairs = frozenset(zip(it.referencing_columns, it.referenced_columns, strict=True))
    return (it.referencing_table, it.referenced_table, pairs)
