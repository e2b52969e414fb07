"""The trace of an application's request: what a correlation id says where it is a W3C traceparent."""

import re
from dataclasses import dataclass

_SAMPLED = 0x01
_FIELDS = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")


@dataclass(frozen=True, slots=True)
class Trace:
    """Where in which trace the application was when it wrote. Ids in lower-case hexadecimal digits, 32 and 16 of them."""

    trace_id: str
    span_id: str
    is_sampled: bool


def parse(text: str | None) -> Trace | None:
    """Return the trace that a traceparent names, or None for anything else.

    Version 00 has four fields and no more, ff is none. A version that we do not know may have more fields, after a dash; of its
    flags we know the first bit alone (https://www.w3.org/TR/trace-context/#traceparent-header).
    """
    found = _FIELDS.match(text or "")
    if found is None:
        return None
    version, trace_id, span_id, flags = found.groups()
    more = found.string[found.end() :]
    if version == "ff" or (more and (version == "00" or not more.startswith("-"))):
        return None
    if not trace_id.strip("0") or not span_id.strip("0"):
        return None
    return Trace(trace_id, span_id, is_sampled=bool(int(flags, 16) & _SAMPLED))
