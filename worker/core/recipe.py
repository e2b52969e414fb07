"""A draft of the recipe: each column of the profiles is left out, copied from a column of the users, or left to a person.

Nothing is made up. What looks like a right, a plan or a consent is never copied. What users write about themselves (a column of
metadata) is a suggestion in a comment at most, and none for a right.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from worker.core.catalog import Catalog, Column, Table
from worker.core.naming import Found, listed_columns, plain
from worker.core.pairing import Pair
from worker.errors import SourceRefusedError

UNDECIDED = "-- decide"
"""Stands where an expression has to be written. Postgres refuses it, and so does ``pgmend.attach_source``, with a hint."""

_DELICATE = re.compile(
    r"(^|_)(roles?|privileges?|staff|moderator|scopes?|grants?|terms|tos|gdpr|opt_?in|plans?|tier|credits?|balance)(_|$)"
    r"|(^|_)(subscri|verif|approv|accept|agree)|admin|superuser|permission|consent"
)
_WORD_BORDER = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SAME = (
    frozenset({"email", "emailaddress", "mail"}),
    frozenset({"phone", "phonenumber"}),
    frozenset({"avatarurl", "profilepictureurl", "pictureurl", "photourl", "imageurl"}),
)
_WIDENS: Mapping[str, frozenset[str]] = {
    "smallint": frozenset({"integer", "bigint", "numeric"}),
    "integer": frozenset({"bigint", "numeric"}),
    "bigint": frozenset({"numeric"}),
    "real": frozenset({"double precision"}),
    "date": frozenset({"timestamp without time zone", "timestamp with time zone"}),
    "timestamp without time zone": frozenset({"timestamp with time zone"}),
}
_TEXTUAL = frozenset({"text", "character varying", "citext", "character", "bpchar", "name"})
_METADATA = ("raw_user_meta_data", "user_metadata", "metadata", "meta_data")


@dataclass(frozen=True, slots=True)
class Line:
    """What becomes of one column of the profiles, and why. Without an expression it is left out."""

    column: Column
    reason: str
    expression: str | None = None

    @property
    def is_undecided(self) -> bool:
        """Return whether a person has to say what the column is made of."""
        return self.expression == UNDECIDED


def is_delicate(name: str) -> bool:
    """Return whether a column's name looks like a right, a plan or a consent."""
    return _DELICATE.search(_WORD_BORDER.sub("_", name).lower()) is not None


def draft(catalog: Catalog, pair: Pair, *, given: Mapping[str, str | None], attached: Mapping[str, str]) -> tuple[Line, ...]:
    """Return a line for each column but the key: as given, as attached already, or as the columns suggest."""
    unknown = sorted({*given} - {column.name for column in pair.profiles.table.columns})
    if unknown:
        raise SourceRefusedError(
            f"{pair.profiles.table.quoted} has no column {', '.join(unknown)}",
            detail=listed_columns(pair.profiles.table),
            hint="name in the recipe columns of the profiles table",
        )
    if pair.profiles.key.name in given:
        raise SourceRefusedError(
            f"the recipe gives {pair.profiles.key.name}, which is the user's key", hint="leave it out: pgmend fills it itself"
        )
    columns = [column for column in pair.profiles.table.columns if column.name != pair.profiles.key.name]
    return tuple(_said(column, given, attached) or _drafted(column, catalog, pair) for column in columns)


def _said(column: Column, given: Mapping[str, str | None], attached: Mapping[str, str]) -> Line | None:
    if column.name in given:
        expression = given[column.name]
        return Line(column, "as given" if expression else "left out, as given", expression)
    return Line(column, "as attached already", attached[column.name]) if column.name in attached else None


def _drafted(column: Column, catalog: Catalog, pair: Pair) -> Line:
    source = _namesake(column, pair.users)
    if unneeded := _unneeded(column):
        return Line(column, unneeded + (f" ({_likeness(source, column)})" if source else ""))
    if column.name in pair.profiles.table.primary_key:
        return _undecided(column, "the profile's own key", _own_key_suggestion(column))
    if is_delicate(column.name):
        why = "it looks like a right, a plan or a consent, which is never copied"
        return _undecided(column, f"{why}, not from users.{source.quoted} either" if source else why, "")
    if source is None:
        return _without_namesake(column, catalog, pair)
    if not _is_assignable(source, column):
        return _undecided(column, f"users.{source.quoted} is of type {source.type_name}", "")
    empty = "" if source.is_required else "; who has none becomes a dead letter that says so"
    return Line(column, f"{_likeness(source, column)}{empty}", f"users.{source.quoted}")


def _without_namesake(column: Column, catalog: Catalog, pair: Pair) -> Line:
    for key in catalog.foreign_keys:
        if key.referencing_table == pair.profiles.table.quoted and column.name in key.referencing_columns:
            why = f"it refers to {key.referenced_table}; what has to be made first is made by --recipe-function"
            return _undecided(column, why, "")
    why = f"no column of {pair.users.table.quoted} is named so"
    return _undecided(column, why, _metadata_suggestion(column, pair.users.table))


def _unneeded(column: Column) -> str | None:
    """Return why an insert may leave the column out."""
    if column.is_generated:
        return "left out: generated"
    if column.is_identity:
        return "left out: an identity"
    if column.default is not None:
        return f"left out: has the default {column.default}"
    return None if column.is_required else "left out: may be null"


def _undecided(column: Column, why: str, suggestion: str) -> Line:
    aid = f"; for example {suggestion}" if suggestion else ""
    return Line(column, f"decide: {column.type_name}, NOT NULL, without default; {why}{aid}", UNDECIDED)


def _namesake(column: Column, users: Found) -> Column | None:
    """Return the users' column of the same name, or of one that says the same. Never their key."""
    others = [other for other in users.table.columns if other.name != users.key.name]
    same = next((group for group in _SAME if plain(column.name) in group), frozenset({plain(column.name)}))
    exact = [other for other in others if other.name == column.name]
    alike = [other for other in others if plain(other.name) in same]
    return next(iter(exact or alike), None)


def _likeness(source: Column, target: Column) -> str:
    is_same = plain(source.name) == plain(target.name)
    return f"users.{source.quoted} {'is of the same name' if is_same else 'says the same'}"


def _is_assignable(source: Column, target: Column) -> bool:
    if source.base_type == target.base_type:
        return True
    if source.base_type in _TEXTUAL and target.base_type in _TEXTUAL:
        return True
    return target.base_type in _WIDENS.get(source.base_type, frozenset())


def _own_key_suggestion(column: Column) -> str:
    return {"uuid": "pg_catalog.gen_random_uuid()", "text": "pg_catalog.gen_random_uuid()::text"}.get(column.kind or "", "")


def _metadata_suggestion(column: Column, users: Table) -> str:
    """Return where users may have written it themselves. Not for a right, and only as a suggestion."""
    metadata = next((users.by_name[name] for name in _METADATA if name in users.by_name), None)
    if metadata is None or metadata.base_type not in {"jsonb", "json"} or column.base_type not in _TEXTUAL:
        return ""
    key = column.name.replace("'", "''")
    return f"users.{metadata.quoted} ->> '{key}', which users write themselves"
