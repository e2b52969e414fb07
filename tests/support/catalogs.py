"""Catalogs written by hand, for decisions that need no server."""

from typing import Any

from worker.core.catalog import Catalog, Column, ForeignKey, Table, UniqueKey
from worker.core.naming import Found
from worker.core.pairing import find
from worker.core.proposal import Proposal, propose
from worker.core.wishes import Wishes

_KINDS = {"uuid": "uuid", "text": "text", "character varying": "text", "integer": "integer", "bigint": "integer"}


def quoted(name: str) -> str:
    """Return a name as the server would write it."""
    plain = name.isascii() and name.islower() and name.replace("_", "a").isalnum()
    return name if plain else '"' + name.replace('"', '""') + '"'


def column(text: str, **given: Any) -> Column:
    """Return the column of ``NAME TYPE [!] [= DEFAULT]``; ``!`` forbids null."""
    definition, _, default = text.partition(" = ")
    name, _, type_name = definition.removesuffix(" !").partition(" ")
    values = {"is_required": definition.endswith(" !"), "default": default or None} | given
    return Column(name, quoted(name), type_name, type_name, _KINDS.get(type_name), **values)


def table(name: str, *columns: str | Column, keys: tuple[str, ...] = ()) -> Table:
    """Return a table ``schema.name``, whose primary key is its first column; ``keys`` are further unique columns."""
    schema_name, _, relation_name = name.partition(".")
    made = tuple(each if isinstance(each, Column) else column(each) for each in columns)
    unique = (UniqueKey((made[0].name,), is_primary=True), *(UniqueKey((key,)) for key in keys))
    return Table(schema_name, relation_name, f"{quoted(schema_name)}.{quoted(relation_name)}", made, unique)


def _dotted(name: str) -> str:
    return ".".join(quoted(part) for part in name.split(".", 1))


def foreign_key(referencing: str, column_name: str, referenced: str, referenced_column: str = "id", **given: Any) -> ForeignKey:
    """Return the key of one column between two tables, named as Postgres would name it."""
    name = f"{referencing.partition('.')[2]}_{column_name}_fkey"
    ends = _dotted(referencing), _dotted(referenced)
    return ForeignKey(name, quoted(name), *ends, (column_name,), (referenced_column,), "owner", **given)


USERS = table("public.users", "id uuid !", "email text")
PROFILES = table("public.profiles", "id uuid !")
LINK = foreign_key("public.profiles", "id", "public.users")


def plain_catalog(*profile_columns: str | Column, users: Table = USERS, keys: tuple[ForeignKey, ...] = ()) -> Catalog:
    """Return the catalog of users, their profiles with such columns, and further keys."""
    return Catalog((users, table("public.profiles", "id uuid !", *profile_columns)), (LINK, *keys))


def found(catalog: Catalog, **wishes: Any) -> tuple[str, str]:
    """Return which columns are the keys of users and profiles, as ``schema.table.column``."""
    pair = find(catalog, Wishes(**wishes))
    return _name(pair.users), _name(pair.profiles)


def proposed(catalog: Catalog, **wishes: Any) -> Proposal:
    """Return the proposal for these wishes."""
    return propose(catalog, Wishes(**wishes), function=None, grants=())


def _name(chosen: Found) -> str:
    return f"{chosen.table.schema_name}.{chosen.table.relation_name}.{chosen.key.name}"
