"""Names of tables as people mean them: without schema and quotes, in words, in the singular; what orphans there are called."""

import re
from collections.abc import Iterable

ORPHAN_TYPE = "ORPHANED_{}_DETECTED"
"""The error type of orphans in a table, with the singular of its name in it."""

_IRREGULAR = {
    "people": "person",
    "children": "child",
    "men": "man",
    "women": "woman",
    "feet": "foot",
    "teeth": "tooth",
    "mice": "mouse",
    "indices": "index",
    "vertices": "vertex",
    "matrices": "matrix",
    "criteria": "criterion",
    "statuses": "status",
    "viruses": "virus",
    "bonuses": "bonus",
    "campuses": "campus",
    "buses": "bus",
    "aliases": "alias",
    "gases": "gas",
    "lenses": "lens",
    "movies": "movie",
    "cookies": "cookie",
    "series": "series",
    "species": "species",
    "news": "news",
    "analyses": "analysis",
    "diagnoses": "diagnosis",
    "caches": "cache",
    "quizzes": "quiz",
    "shelves": "shelf",
    "leaves": "leaf",
    "knives": "knife",
    "wives": "wife",
    "lives": "life",
    "shoes": "shoe",
    "toes": "toe",
    "axes": "axis",
}
_ENDINGS = (("ies", "y"), ("sses", "ss"), ("shes", "sh"), ("ches", "ch"), ("xes", "x"), ("zzes", "zz"), ("oes", "o"))
_NO_PLURALS = ("ss", "us", "is")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def orphan_type(table: str) -> str:
    """Return the error type of orphans in a table: ``orders`` -> ``ORPHANED_ORDER_DETECTED``."""
    return ORPHAN_TYPE.format("_".join(singular_words(table)).upper() or "ROW")


def singular_words(table: str) -> list[str]:
    """Return the words of a table's name, the last in the singular: ``public."OrderItems"`` -> ``order``, ``item``."""
    words = [word.lower() for word in re.split(r"[\W_]+", _HUMP.sub("_", bare(table))) if word]
    return words[:-1] + [singular(word) for word in words[-1:]]


def singular(word: str) -> str:
    """Return the singular of an English noun in lower case, or the word itself where it seems to be none's plural."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word.endswith(_NO_PLURALS):
        return word
    for plural, ending in _ENDINGS:
        if word.endswith(plural) and len(word) > len(plural) + 1:
            return word.removesuffix(plural) + ending
    return word.removesuffix("s")


def bare(table: str) -> str:
    """Return the name of a table without its schema and without quotes."""
    parts = re.findall(r'"(?:[^"]|"")*"|[^".]+', table)
    return _unquoted(parts[-1]) if parts else ""


def shown(table: str) -> str:
    """Return how a table is shown to people: the schema public goes without saying."""
    return table.removeprefix("public.")


_ROLES = (
    *("customer", "admin", "sender", "recipient", "receiver", "author", "owner", "member", "creator", "assignee", "buyer"),
    *("seller", "reviewer", "follower", "account"),
)
_PASSIVE = ("created_by", "updated_by", "deleted_by", "createdBy", "updatedBy", "deletedBy")


def likely_columns(*tables: str) -> tuple[str, ...]:
    """Return the names that a column which refers to one of the tables has for sure: ``user_id``, ``userId``."""
    spelled = [singular_words(table) for table in tables]
    return tuple(dict.fromkeys(name for words in spelled if words for name in _identifiers(words)))


def role_columns(tables: Iterable[str]) -> tuple[str, ...]:
    """Return the names that speak of somebody's role (``sender_id``), unless a table of that name says that it is its own."""
    taken = {"_".join(singular_words(table)) for table in tables}
    names = [name for role in _ROLES if role not in taken for name in _identifiers([role])]
    return (*names, *_PASSIVE)


def _identifiers(words: list[str]) -> tuple[str, str]:
    return "_".join([*words, "id"]), words[0] + "".join(word.title() for word in [*words[1:], "id"])


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name
