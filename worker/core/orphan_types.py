"""What an orphan is called in the audit: ``ORPHANED_ORDER_DETECTED`` for a row of ``public.orders``."""

import re

_IRREGULAR = {
    "people": "person",
    "children": "child",
    "men": "man",
    "women": "woman",
    "data": "data",
    "media": "media",
    "news": "news",
    "series": "series",
    "statuses": "status",
    "addresses": "address",
    "aliases": "alias",
    "movies": "movie",
    "cookies": "cookie",
}
_ENDINGS = (("ies", "y"), ("sses", "ss"), ("shes", "sh"), ("ches", "ch"), ("xes", "x"), ("zzes", "zz"), ("s", ""))
_NO_PLURAL = ("ss", "us", "is")


def orphan_type(table: str) -> str:
    """Return the error type for the orphans of a table, named as SQL writes it: no schema, in the singular."""
    bare = re.search(r'(?:"((?:[^"]|"")+)"|([^."]+))$', table)
    name = (bare[1] or bare[2]) if bare else table
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+", name) or ["row"]
    words[-1] = _singular(words[-1].lower())
    return f"ORPHANED_{'_'.join(word.upper() for word in words)}_DETECTED"


def _singular(word: str) -> str:
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word.endswith(_NO_PLURAL):
        return word
    for plural, singular in _ENDINGS:
        if word.endswith(plural) and len(word) > len(plural) + 1:
            return word.removesuffix(plural) + singular
    return word
