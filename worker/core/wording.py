"""How numbers of things are written."""


def counted(number: int, noun: str) -> str:
    """Return ``1 user``, ``2 users``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
