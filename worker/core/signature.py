"""Signatures of the application's functions: pgmend keeps their names, and ``regprocedure`` reads a name with its arguments."""


def of_recipe(function: str, key_type: str | None) -> str:
    """Return the function that makes a profile, which takes the key of a user. ``key_type``: None where nobody can say it."""
    return f"{function}({key_type or '…'})"


def of_replay(function: str) -> str:
    """Return the function that replays a row, which takes the image of one."""
    return f"{function}(jsonb)"
