"""SQL text out of values: literals and comments that end where they should, whatever stands in them."""

import itertools


def literal(value: str) -> str:
    """Return the value as an SQL literal that means the same whatever ``standard_conforming_strings`` says."""
    quoted = value.replace("'", "''")
    if "\\" not in value:
        return f"'{quoted}'"
    escaped = quoted.replace("\\", "\\\\")
    return f"E'{escaped}'"


def dollar_quoted(value: str, tag: str) -> str:
    """Return the value as a literal between ``$tag$``, under a tag that does not occur in it."""
    tags = itertools.chain([tag], (f"{tag}{number}" for number in itertools.count(1)))
    free = next(free for free in tags if f"${free}" not in value)
    return f"${free}${value}${free}$"


def visible(text: str) -> str:
    """Return the text as one line. What would end the line, or cannot be seen, is written as an escape."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def remark(text: str) -> str:
    """Return one line of comment, all of it visible."""
    return f"-- {visible(text)}".rstrip()
