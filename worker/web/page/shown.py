"""How a value is shown: numbers, ages, times, and text that somebody else has written.

Escaping is the templates' business. Here signs that are not seen, or that turn the reading direction, become visible.
"""

import json
import re
from datetime import UTC, datetime

NOTHING = "\N{EN DASH}"
"""What is shown where there is no value."""

_SECONDS_BY_UNIT = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))

_LAST_YEAR = 9999
_MOMENT_SECONDS = 0.0005

_UNSEEN = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffc]"
)


def number(value: float | None) -> str:
    """Return a count with separated thousands."""
    return NOTHING if value is None else f"{value:,.0f}"


def share(value: float | None) -> str:
    """Return a share as a percentage that never rounds up to all of it."""
    if value is None:
        return NOTHING
    percent = int(value * 10_000) / 100
    return f"{percent:.2f}".rstrip("0").rstrip(".") + " %"


def age(seconds: float | None) -> str:
    """Return a length of time in its two largest units, to the eye's precision."""
    if seconds is None:
        return NOTHING
    if seconds < 1:
        return f"{max(0.0, seconds) * 1000:.0f} ms"
    if seconds < 10:  # noqa: PLR2004 - one decimal tells something up to there
        return f"{seconds:.1f} s"
    left = round(seconds)
    parts: list[tuple[int, str]] = []
    for unit, size in _SECONDS_BY_UNIT:
        if left >= size or parts:
            parts.append((left // size, unit))
            left %= size
    return " ".join(f"{amount:,} {unit}" for amount, unit in parts[:2] if amount)


def milliseconds(value: float | None) -> str:
    """Return a length of time that is given in milliseconds."""
    return age(None if value is None else value / 1000)


def counted(value: int, up_to: int) -> str:
    """Return a number that was counted up to a bound and one more."""
    return number(value) if value <= up_to else f"{number(up_to)}+"


def moment(value: datetime | None) -> str:
    """Return a time in UTC, to the second. What Postgres calls infinity has no time of day."""
    if value is None:
        return NOTHING
    if not _LAST_YEAR > value.year > 1:
        return "beyond all time"
    return _in_utc(value).strftime("%Y-%m-%d %H:%M:%S")


def machine(value: datetime) -> str:
    """Return a time as HTML wants it for machines."""
    return _in_utc(value).isoformat(timespec="milliseconds") if _LAST_YEAR > value.year > 1 else ""


def _in_utc(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def between(moments: tuple[datetime, datetime]) -> str:
    """Return how long after the second time the first was."""
    later, earlier = moments
    if not all(_LAST_YEAR > it.year > 1 for it in moments):
        return ""
    seconds = (_in_utc(later) - _in_utc(earlier)).total_seconds()
    return f"{age(seconds)} later" if seconds >= _MOMENT_SECONDS else "at the same moment"


def text(value: object, most: int = 300) -> str:
    """Return what somebody else has written: nothing unseen in it, and no more than fits."""
    if value is None:
        return NOTHING
    full = str(value)
    cut = _UNSEEN.sub(lambda match: f"⟨U+{ord(match[0]):04X}⟩", full[:most])
    return cut if len(full) <= most else f"{cut} … ({len(full):,} characters)"


def document(value: object, most: int = 20_000) -> str:
    """Return JSON, or JSON text, with its structure laid out."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return text(value, most)
    return text(json.dumps(value, indent=2, ensure_ascii=False, default=str), most)
