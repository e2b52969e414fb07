"""Which references are to become valid keys: those that stand NOT VALID, that names ask for, and that a person names."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from worker.core.constrain.wish import ON_DELETE, Checked, End, Wish, read_choice, read_end, read_reference
from worker.core.reference import Reference
from worker.errors import ReferenceRefusedError
from worker.store import constraints, people, references
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


Choice = tuple[str, Callable[[Wish], Wish]]
"""A referencing end, and how its wish is changed."""


async def gather(connection: Connection, asked: Asked) -> list[Wish]:
    """Return the wish for each reference, in the order of their names. Raises ReferenceRefusedError for what does not exist.

    A key that is valid already is among them where its end is named, so that the command of an earlier run may be given again.
    """
    only = {await _read_only(connection, text) for text in asked.only}
    choices = await _choices(connection, asked)
    ends = only | {end for end, _ in choices}
    wishes = {_meaning(it): _wish(it, asked, is_guess=not it.is_declared) for it in await _found(connection, ends)}
    wishes |= {_meaning(it): _wish(it, asked, is_guess=False) for it in await _all_named(connection, asked.references)}
    unknown = ends - {_end(wish.reference) for wish in wishes.values()}
    if unknown:
        hint = f"add --reference '{min(unknown)}=table.column', or mind the spelling"
        raise ReferenceRefusedError(f"{min(unknown)} is no reference that is known", hint=hint)
    for end, choose in choices:
        wishes = {place: choose(wish) if _end(wish.reference) == end else wish for place, wish in wishes.items()}
    kept = [wish for wish in wishes.values() if not only or _end(wish.reference) in only]
    return sorted(kept, key=lambda wish: wish.reference.name)


def _wish(it: Reference, asked: Asked, *, is_guess: bool) -> Wish:
    return Wish(it, guard_mode=asked.guard_mode, not_valid_first=asked.not_valid_first, is_guess=is_guess)


async def _found(connection: Connection, ends: set[str]) -> list[Reference]:
    """Return the keys to the profiles of a source that are not valid, or are of these ends, and columns named like one."""
    found: list[Reference] = []
    for source in await constraints.people(connection):
        declared = await references.declared(connection, source.profiles_table)
        found += [it for it in declared if it.is_validated and _end(it) in ends]
        found += [it for it in declared if not it.is_validated]
        found += await references.intended(connection, source.profiles_table, source.profiles_key, names=USUAL_NAMES)
    audit_tables = await _audit_tables(connection)
    return [it for it in found if it.referencing_table not in audit_tables]


async def _all_named(connection: Connection, texts: Iterable[str]) -> list[Reference]:
    audit_tables = await _audit_tables(connection)
    named = [await _named(connection, text) for text in texts]
    for it in named:
        if it.referencing_table in audit_tables:
            hint = "it also names users who are gone, and takes no key"
            raise ReferenceRefusedError(f"{it.referencing_table} is the audit", hint=hint)
    return named


async def _audit_tables(connection: Connection) -> set[str | None]:
    """Return the tables behind the audit, as references spell them."""
    return {await constraints.spelled(connection, table) for table in (await people.installation(connection)).audit_tables}


async def _named(connection: Connection, text: str) -> Reference:
    try:
        ends = read_reference(text)
    except ValueError as error:
        raise ReferenceRefusedError(str(error), hint="write --reference orders.user_id=profiles.id") from error
    referencing, referenced = [await _table(connection, end) for end in ends]
    found = await references.named(connection, (referencing, *ends[0].columns), (referenced, *ends[1].columns))
    if found is None:
        raise ReferenceRefusedError(
            f"a column of {text} does not exist", hint="columns are spelled letter by letter, as \\d prints them"
        )
    return found


async def _table(connection: Connection, end: End) -> str:
    name = await constraints.spelled(connection, end.table)
    if name is None:
        raise ReferenceRefusedError(f"there is no table {end.table}", hint="name its schema, and quote a name with capitals")
    return name


async def _choices(connection: Connection, asked: Asked) -> list[Choice]:
    deferrable = [text if "=" in text else f"{text}=deferrable" for text in asked.deferrable]
    return [
        *[await _choice(connection, text, _with_name) for text in asked.names],
        *[await _choice(connection, text, _with_on_delete, ON_DELETE) for text in asked.on_delete],
        *[await _choice(connection, text, _with_checked, _CHECKED) for text in deferrable],
    ]


async def _choice(
    connection: Connection, text: str, choose: Callable[[str, Wish], Wish], known: Iterable[str] | None = None
) -> Choice:
    try:
        end, chosen = read_choice(text)
    except ValueError as error:
        raise ReferenceRefusedError(str(error), hint="write --on-delete 'orders.user_id=cascade'") from error
    if known is not None and chosen not in known:
        raise ReferenceRefusedError(f"there is no choice {chosen} for {end}", hint=f"the choices are {', '.join(known)}")
    return await _located(connection, end), partial(choose, chosen)


def _with_name(chosen: str, wish: Wish) -> Wish:
    return replace(wish, name=chosen)


def _with_on_delete(chosen: str, wish: Wish) -> Wish:
    return replace(wish, on_delete=chosen)


def _with_checked(chosen: str, wish: Wish) -> Wish:
    return replace(wish, checked=_CHECKED[chosen])


async def _read_only(connection: Connection, text: str) -> str:
    try:
        end = read_end(text.partition("=")[0])
    except ValueError as error:
        raise ReferenceRefusedError(str(error), hint="write --only orders.user_id") from error
    return await _located(connection, end)


async def _located(connection: Connection, end: End) -> str:
    """Return an end as references spell it."""
    return str(replace(end, table=await _table(connection, end)))


def _end(it: Reference) -> str:
    return str(End(it.referencing_table, it.referencing_columns))


def _meaning(it: Reference) -> tuple[object, ...]:
    """Return what two spellings of one reference have in common."""
    pairs = frozenset(zip(it.referencing_columns, it.referenced_columns, strict=True))
    return (it.referencing_table, it.referenced_table, pairs)
