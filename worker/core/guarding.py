"""Which keys refer to the profiles, and how each is guarded: a mode and the reason for it, or the reason to leave it alone."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from worker.core.catalog import Catalog, ForeignKey, Guard
from worker.core.pairing import Pair
from worker.core.wishes import Mode
from worker.errors import SourceRefusedError, SourceUnclearError


@dataclass(frozen=True, slots=True)
class GuardChoice:
    """One key and its mode. ``standing`` is the guard that it has already; ``mode`` is none where it is left alone."""

    key: ForeignKey
    mode: Mode
    reason: str
    standing: Guard | None = None

    @property
    def is_new(self) -> bool:
        """Return whether there is something to do."""
        return self.mode != "none" and (self.standing is None or self.standing.mode != self.mode)

    @property
    def is_to_go(self) -> bool:
        """Return whether a guard that stands is to be taken off."""
        return self.mode == "none" and self.standing is not None


def choose(catalog: Catalog, pair: Pair, wished: Mapping[str, Mode]) -> tuple[GuardChoice, ...]:
    """Return a choice for each foreign key to the profiles. Raises where a wish names no key, several, or an impossible mode."""
    keys = [key for key in catalog.foreign_keys if key.referenced_table == pair.profiles.table.quoted]
    by_key = {_meant(keys, name): mode for name, mode in wished.items()}
    return tuple(_choices(keys, by_key, catalog, pair))


def _choices(keys: list[ForeignKey], wished: Mapping[ForeignKey, Mode], catalog: Catalog, pair: Pair) -> Iterator[GuardChoice]:
    rivals = _rivals(catalog, pair)
    for key in keys:
        standing = next((guard for guard in catalog.guards if _guards(guard, key)), None)
        unguardable = _why_not_at_all(key, pair) or rivals
        mode = wished.get(key)
        if mode and mode != "none":
            _refuse_impossible(key, mode, unguardable)
            yield GuardChoice(key, mode, "as wished", standing)
        elif mode == "none":
            yield GuardChoice(key, "none", "left alone, as wished", standing)
        elif standing:
            yield GuardChoice(key, _mode_of(standing), "guarded already", standing)
        elif unguardable:
            yield GuardChoice(key, "none", f"left alone: {unguardable}")
        elif reason := why_not_ensured(key):
            yield GuardChoice(key, "report", reason)
        else:
            when = "at COMMIT, as the key is checked" if key.is_deferred else "before the key is checked"
            yield GuardChoice(key, "ensure", f"a plain insert makes the missing profile {when}")


def why_not_ensured(key: ForeignKey) -> str | None:
    """Return why a key cannot have the mode ensure, as ``pgmend.guard`` would say it."""
    if key.is_deferrable and not key.is_deferred:
        return "the key is deferrable but initially immediate: a guard could not know when a transaction defers it"
    if not key.owner_is_trusted:
        return (
            f"the table belongs to {key.owner}, who must not borrow the rights of who attaches; for ensure, attach as {key.owner}"
        )
    if not key.may_have_a_trigger:
        return "the role that attaches may make no trigger on the table"
    return None


def _why_not_at_all(key: ForeignKey, pair: Pair) -> str | None:
    if key.referencing_table == key.referenced_table:
        return "it leads from the profiles to themselves"
    if key.referencing_table == pair.users.table.quoted:
        return "it leads from the users back to their profiles"
    if pair.profiles.key.name not in key.referenced_columns:
        return f"it refers to {', '.join(key.referenced_columns)} of the profiles, which is not the user's key"
    if key.is_of_a_partition:
        return "it is the key of one partition; guard it by hand where that is meant"
    return None if key.is_enforced else "it is not enforced, so no insert fails"


def _rivals(catalog: Catalog, pair: Pair) -> str | None:
    """Return why no key of these profiles can be guarded: their users come from several tables."""
    others = [
        source
        for source in catalog.sources
        if source.profiles_table == pair.profiles.table.quoted and source.users_table != pair.users.table.quoted
    ]
    return (
        f"the profiles belong to the users of {others[0].users_table} as well, and one key cannot serve both" if others else None
    )


def _refuse_impossible(key: ForeignKey, mode: Mode, unguardable: str | None) -> None:
    reason = unguardable
    if mode == "ensure":
        reason = reason or why_not_ensured(key)
    if mode == "park" and key.is_deferrable:
        reason = reason or "the key is deferrable: whether the row violates it is not known before COMMIT"
    if reason:
        raise SourceRefusedError(
            f"the key {key.quoted} of {key.referencing_table} cannot have the mode {mode}",
            detail=reason,
            hint=f"choose another: --guard {key.name}=report, or none",
        )


def _meant(keys: list[ForeignKey], name: str) -> ForeignKey:
    found = [key for key in keys if name in {key.name, f"{key.referencing_table}.{key.name}"}]
    if len(found) == 1:
        return found[0]
    candidates = ", ".join(f"{key.referencing_table}.{key.name}" for key in found or keys)
    what = f"several keys to the profiles are called {name}" if found else f"no key to the profiles is called {name}"
    raise SourceUnclearError(what, detail=candidates, hint="name one: --guard TABLE.CONSTRAINT=MODE")


def _guards(guard: Guard, key: ForeignKey) -> bool:
    return (guard.referencing_table, guard.constraint_name) == (key.referencing_table, key.name)


def _mode_of(guard: Guard) -> Mode:
    modes: dict[str, Mode] = {"report": "report", "ensure": "ensure", "park": "park"}
    return modes[guard.mode]
