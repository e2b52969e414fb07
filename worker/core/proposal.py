"""A proposal: everything that attaching would write, each with its reason, from what the catalog says and what was wished."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from worker.core.catalog import Catalog, Column, Source, Writer
from worker.core.guarding import GuardChoice, choose
from worker.core.naming import Found, plain
from worker.core.pairing import Pair, find
from worker.core.recipe import Line, draft
from worker.core.signature import of_recipe
from worker.core.wishes import Wishes

MOST_COUNTED = 10_000
"""So many users without a profile are counted at most."""

_ERASED_NAMES = frozenset({"deletedat", "isdeleted", "deleted"})


@dataclass(frozen=True, slots=True)
class Condition:
    """An SQL condition over the users row, and why."""

    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the application: its name with the schema, and with the types of its arguments."""

    qualified: str
    signature: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """What would be attached. ``attached``: the source as it is now, if there is one. ``grants``: roles as they stand in SQL."""

    pair: Pair
    lines: tuple[Line, ...]
    function: Function | None
    eligible: Condition
    erased: Condition
    guards: tuple[GuardChoice, ...]
    grants: tuple[str, ...] = ()
    attached: Source | None = None

    @property
    def recipe(self) -> dict[str, str]:
        """Return column -> expression."""
        return {line.column.name: line.expression for line in self.lines if line.expression}

    @property
    def undecided(self) -> tuple[str, ...]:
        """Return the columns that a person has to decide."""
        return tuple(line.column.name for line in self.lines if line.is_undecided)

    @property
    def differences(self) -> tuple[str, ...]:
        """Return how the source would differ from what is attached; nothing if nothing is attached."""
        return tuple(_differences(self, self.attached)) if self.attached else ()

    @property
    def changes_source(self) -> bool:
        """Return whether the source has to be attached, or attached anew."""
        return self.attached is None or bool(self.differences)

    @property
    def changed_guards(self) -> tuple[GuardChoice, ...]:
        """Return the keys whose guard is made, changed or taken off."""
        return tuple(choice for choice in self.guards if choice.is_new or choice.is_to_go)

    @property
    def changes_nothing(self) -> bool:
        """Return whether there is nothing to do."""
        return not (self.changes_source or self.changed_guards or self.grants)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is so where the proposal would be applied. ``lacking``: users without profile; none if they could not be counted."""

    database_name: str
    role_name: str
    lacking: int | None
    missing_rights: tuple[str, ...] = ()
    writers: tuple[Writer, ...] = ()
    letters: Mapping[str, int] = field(default_factory=dict)
    """Dead letters of the source by verdict: no sweep announces their users, and nobody but a person sends them back."""


def propose(catalog: Catalog, wishes: Wishes, *, function: Function | None, grants: tuple[str, ...]) -> Proposal:
    """Return the proposal. Raises where it is not clear what is meant, or where it cannot work."""
    pair = find(catalog, wishes)
    attached = next((source for source in catalog.sources if _is_of(source, pair)), None)
    if attached and attached.recipe_function and not wishes.recipe:
        function = function or Function(attached.recipe_function, of_recipe(attached.recipe_function, pair.users.key.type_name))
    given = attached.recipe if attached else {}
    return Proposal(
        pair,
        () if function else draft(catalog, pair, given=wishes.recipe, attached=given),
        function,
        _eligible(wishes.eligible_when, attached, pair.users),
        _erased(wishes.erased_when, attached, pair.users),
        choose(catalog, pair, wishes.guards),
        grants,
        attached,
    )


def _is_of(source: Source, pair: Pair) -> bool:
    return (source.users_table, source.profiles_table) == (pair.users.table.quoted, pair.profiles.table.quoted)


def _eligible(wished: str | None, attached: Source | None, users: Found) -> Condition:
    if wished is not None:
        return Condition(wished, "as given")
    if attached:
        return Condition(attached.eligible_when, "as attached already")
    if "is_anonymous" in users.table.by_name:
        return Condition("true", "everybody, anonymous users too; without them: --eligible-when 'not users.is_anonymous'")
    return Condition("true", "everybody gets a profile")


def _erased(wished: str | None, attached: Source | None, users: Found) -> Condition:
    if wished is not None:
        return Condition(wished, "as given")
    if attached:
        return Condition(attached.erased_when, "as attached already")
    for column in users.table.columns:
        if plain(column.name) in _ERASED_NAMES and (text := _says_erased(column)):
            return Condition(text, f"{column.quoted} says who is erased, and never gets a profile again")
    return Condition("false", "no column says who is erased: only who is gone gets no profile")


def _says_erased(column: Column) -> str | None:
    if column.base_type == "boolean":
        return f"users.{column.quoted}"
    is_moment = column.base_type == "date" or column.base_type.startswith("timestamp")
    return f"users.{column.quoted} is not null" if is_moment else None


def _differences(proposal: Proposal, attached: Source) -> Iterator[str]:
    yield from _recipe_differences(proposal.recipe, attached.recipe)
    pairs: Mapping[str, tuple[str | None, str | None]] = {
        "the key of the users": (attached.users_key, proposal.pair.users.key.name),
        "the key of the profiles": (attached.profiles_key, proposal.pair.profiles.key.name),
        "the recipe's function": (attached.recipe_function, proposal.function.qualified if proposal.function else None),
        "eligible_when": (attached.eligible_when, proposal.eligible.text),
        "erased_when": (attached.erased_when, proposal.erased.text),
    }
    yield from (
        f"{name}: {was or 'none'} becomes {will_be or 'none'}" for name, (was, will_be) in pairs.items() if was != will_be
    )


def _recipe_differences(proposed: Mapping[str, str], attached: Mapping[str, str]) -> Iterator[str]:
    for column in sorted({*proposed, *attached}):
        was, will_be = attached.get(column), proposed.get(column)
        if was != will_be:
            yield f"the recipe of {column}: {was or 'none'} becomes {will_be or 'none'}"
