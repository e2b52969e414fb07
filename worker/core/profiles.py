"""Which table holds the profiles of the users: the one whose own unique key refers to them."""

from collections.abc import Iterator

from worker.core.catalog import Catalog, ForeignKey, Table
from worker.core.naming import Found, listed, named, plain, with_key
from worker.core.wishes import Wishes
from worker.errors import SourceUnclearError

PROFILES_NAMES = frozenset({"profiles", "profile", "userprofiles", "userprofile"})
USERS_NAMES = frozenset({"users", "user", "authuser", "accounts", "account", "people", "members"})
KEY_NAMES = frozenset({"userid", "user", "accountid", "memberid"})


def find_profiles(catalog: Catalog, wishes: Wishes, users: Found) -> Found:
    """Return the table of the profiles, its key, and why."""
    if wishes.profiles:
        return _profiles_named(catalog, named(catalog, wishes.profiles, "--profiles"), wishes, users)
    attached = [source for source in catalog.sources if source.users_table == users.table.quoted]
    if len(attached) == 1 and (table := catalog.table(attached[0].profiles_table)):
        key = wishes.profiles_key or attached[0].profiles_key
        return with_key(table, key, "--profiles-key", f"attached already, as source {attached[0].source_id}")
    linked = [table for table in catalog.tables if table != users.table and next(links(catalog, table, users), None)]
    if not linked:
        return _profiles_without_link(catalog, wishes, users)
    chosen = _most_likely(catalog, linked)
    return _profiles_named(catalog, chosen, wishes, users, reason=_why(catalog, chosen, users))


def _profiles_named(
    catalog: Catalog, table: Table, wishes: Wishes, users: Found, *, reason: str = "named by --profiles"
) -> Found:
    link = next(links(catalog, table, users), None)
    key = wishes.profiles_key or (link.referencing_columns[0] if link else None)
    return with_key(table, key or _key_by_name(table), "--profiles-key", reason)


def _most_likely(catalog: Catalog, candidates: list[Table]) -> Table:
    """Return the one that is called profiles, or else is referred to most. A tie, or a contradiction of the two, is unclear."""
    called = [table for table in candidates if is_called_profiles(table)]
    ranked = sorted(called or candidates, key=lambda table: _references(catalog, table), reverse=True)
    counts = [_references(catalog, table) for table in ranked]
    rivals = [table for table in candidates if table not in called and called and counts[0] < _references(catalog, table)]
    if (len(ranked) > 1 and counts[0] == counts[1]) or (counts[0] == 0 and rivals):
        raise SourceUnclearError(
            "several tables could hold the profiles", detail=listed(candidates), hint="name one: --profiles TABLE"
        )
    if not called and counts[0] == 0:
        raise SourceUnclearError(
            "no table could be told to hold the profiles", detail=listed(candidates), hint="name one: --profiles TABLE"
        )
    return ranked[0]


def _profiles_without_link(catalog: Catalog, wishes: Wishes, users: Found) -> Found:
    fitting = [table for table in called_profiles(catalog) if table != users.table and _key_by_name(table)]
    if len(fitting) == 1:
        why = f"its name says so, though no foreign key leads from it to {users.table.quoted}"
        return _profiles_named(catalog, fitting[0], wishes, users, reason=why)
    raise SourceUnclearError(
        f"no table has a unique key that refers to {users.table.quoted}",
        detail=listed(fitting),
        hint="name one: --profiles TABLE",
    )


def _why(catalog: Catalog, table: Table, users: Found) -> str:
    link = next(links(catalog, table, users))
    others = _references(catalog, table)
    referred = {0: "no other key refers to it", 1: "one foreign key refers to it"}.get(
        others, f"{others} foreign keys refer to it"
    )
    return f"its unique column {link.referencing_columns[0]} refers to the users, and {referred}"


def is_called_profiles(table: Table) -> bool:
    """Return whether a table's name is one that profiles have; on Supabase ``public.users`` is one of them."""
    name = plain(table.relation_name)
    return name in PROFILES_NAMES or name.endswith(("profile", "profiles")) or (name == "users" and table.schema_name == "public")


def called_profiles(catalog: Catalog) -> list[Table]:
    """Return the tables that are called profiles and nothing else."""
    return [table for table in catalog.tables if is_called_profiles(table) and plain(table.relation_name) not in USERS_NAMES]


def own_keys(catalog: Catalog, table: Table) -> Iterator[ForeignKey]:
    """Yield the foreign keys of one column that is also a unique key of its own table: one row for one row."""
    for key in catalog.foreign_keys:
        leaves = key.referencing_table == table.quoted != key.referenced_table
        if leaves and len(key.referencing_columns) == 1 and table.is_unique(key.referencing_columns[0]):
            yield key


def links(catalog: Catalog, table: Table, users: Found) -> Iterator[ForeignKey]:
    """Yield the keys by which a row of the table belongs to one user."""
    for key in own_keys(catalog, table):
        if key.referenced_table == users.table.quoted and key.referenced_columns == (users.key.name,):
            yield key


def _references(catalog: Catalog, table: Table) -> int:
    """Return how many foreign keys of other tables lead to the table."""
    return sum(key.referenced_table == table.quoted != key.referencing_table for key in catalog.foreign_keys)


def _key_by_name(table: Table) -> str | None:
    unique = [column.name for column in table.columns if table.is_unique(column.name)]
    by_user = [name for name in unique if plain(name) in KEY_NAMES]
    return next(iter(by_user or [name for name in unique if (name,) == table.primary_key]), None)
