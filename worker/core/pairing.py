"""Which table holds the users, and which their profiles: by what was said, by keys and by names; never a guess between two."""

from dataclasses import dataclass

from worker.core.catalog import Catalog, ForeignKey, Table
from worker.core.naming import Found, listed, named, plain, spelled, with_key
from worker.core.profiles import USERS_NAMES, called_profiles, find_profiles, links, own_keys
from worker.core.wishes import Wishes
from worker.errors import SourceRefusedError, SourceUnclearError


@dataclass(frozen=True, slots=True)
class Pair:
    """Users and profiles. ``link`` is the foreign key from the profiles to the users, if there is one."""

    users: Found
    profiles: Found
    link: ForeignKey | None


def find(catalog: Catalog, wishes: Wishes) -> Pair:
    """Return where users and profiles are. Raises SourceUnclearError with the candidates, SourceRefusedError with the reason."""
    users = _find_users(catalog, wishes)
    profiles = find_profiles(catalog, wishes, users)
    if profiles.key.kind != users.key.kind:
        raise SourceRefusedError(
            "the keys are not of one kind",
            detail=f"{spelled(users)} is {users.key.type_name}, {spelled(profiles)} is {profiles.key.type_name}",
            hint="give the key of the profiles the type that the key of the users has, or name another key with --profiles-key",
        )
    return Pair(users, profiles, next(links(catalog, profiles.table, users), None))


def _find_users(catalog: Catalog, wishes: Wishes) -> Found:
    if wishes.users:
        return with_key(named(catalog, wishes.users, "--users"), wishes.users_key, "--users-key", "named by --users")
    if wishes.profiles:
        return _users_of(catalog, named(catalog, wishes.profiles, "--profiles"), wishes)
    if len(catalog.sources) == 1 and (attached := catalog.table(catalog.sources[0].users_table)):
        key = wishes.users_key or catalog.sources[0].users_key
        return with_key(attached, key, "--users-key", f"attached already, as source {catalog.sources[0].source_id}")
    if supabase := catalog.table("auth.users"):
        return with_key(supabase, wishes.users_key, "--users-key", "an authentication service keeps its users there")
    return _users_by_name(catalog, wishes)


def _users_of(catalog: Catalog, profiles: Table, wishes: Wishes) -> Found:
    tables = [users for key in own_keys(catalog, profiles) if (users := catalog.table(key.referenced_table))]
    if len(tables) == 1:
        return with_key(tables[0], wishes.users_key, "--users-key", f"a unique key of {profiles.quoted} refers to it")
    if tables:
        raise SourceUnclearError(
            f"unique keys of {profiles.quoted} refer to several tables", detail=listed(tables), hint="name one: --users TABLE"
        )
    return _users_by_name(catalog, wishes)


def _users_by_name(catalog: Catalog, wishes: Wishes) -> Found:
    by_name = [table for table in catalog.tables if plain(table.relation_name) in USERS_NAMES]
    by_shape = [table for table in by_name if _could_hold_users(table)]
    by_link = [table for table in by_shape or by_name if _has_profiles(catalog, table)]
    candidates = by_link or by_shape or by_name
    if len(candidates) == 1:
        reasons = ["its name says so"]
        reasons += ["it has a key of one column and an e-mail address"] if candidates[0] in by_shape else []
        reasons += ["a table of profiles refers to it"] if candidates[0] in by_link else []
        return with_key(candidates[0], wishes.users_key, "--users-key", "; ".join(reasons))
    if candidates:
        raise SourceUnclearError("several tables could hold the users", detail=listed(candidates), hint="name one: --users TABLE")
    referenced = {key.referenced_table for table in called_profiles(catalog) for key in own_keys(catalog, table)}
    tables = [table for table in catalog.tables if table.quoted in referenced]
    if len(tables) == 1:
        return with_key(tables[0], wishes.users_key, "--users-key", "a table of profiles refers to it by a unique key")
    raise SourceUnclearError("no table could be told to hold the users", detail=listed(tables), hint="name one: --users TABLE")


def _could_hold_users(table: Table) -> bool:
    key = table.primary_key
    has_address = any("mail" in plain(column.name) for column in table.columns)
    return has_address and len(key) == 1 and table.by_name[key[0]].kind is not None


def _has_profiles(catalog: Catalog, users: Table) -> bool:
    return any(key.referenced_table == users.quoted for table in called_profiles(catalog) for key in own_keys(catalog, table))
