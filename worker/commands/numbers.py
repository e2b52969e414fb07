"""Numbers on the command line: what is none of its kind is refused as usage, before the database is asked."""

import argparse
import math

_MOST = 2**31 - 2
"""One less than an integer of Postgres, since a page reads one row more than it shows."""
_LAST_EVENT = 2**63 - 2
_A_DAY = 86_400


def positive(text: str) -> int:
    """Return a number of rows, users, attempts or milliseconds: 1 or more."""
    return _within(text, _MOST)


def event_id(text: str) -> int:
    """Return the id of an event."""
    return _within(text, _LAST_EVENT)


def not_negative(text: str) -> float:
    """Return a number of milliseconds: 0 or more, and a number."""
    try:
        number = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from None
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError("must be 0 or more")
    return number


def seconds(text: str) -> float:
    """Return a number of seconds: more than 0, and up to a day."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number <= _A_DAY:
        raise argparse.ArgumentTypeError(f"{text} is no number of seconds above 0 and up to a day")
    return number


def _within(text: str, most: int) -> int:
    try:
        number = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number") from None
    if not 1 <= number <= most:
        raise argparse.ArgumentTypeError(f"must be from 1 to {most}")
    return number
