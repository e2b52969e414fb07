"""Words that several views have in common."""

HOW_TO_SEE_ALL = "connect as the tables' owner where it is not forced, or as a role with bypassrls"
"""What helps where row-level security hides rows."""


def counted(number: int, noun: str) -> str:
    """Return ``1 user``, ``2 users``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
