"""What was asked for: values of an address, as far as they make sense."""

import re
from urllib.parse import urlencode

from aiohttp import web

from worker.web.page.page import Refusal

_LARGEST = 2**63 - 1
_LONGEST = 512

_NO_TEXT = re.compile("[\x00\ud800-\udfff]")
"""What no text in Postgres can hold."""


def asked_text(request: web.Request, name: str) -> str | None:
    """Return a text of the query, or None where it is empty. What no row can hold finds nothing."""
    value = request.query.get(name, "").strip()
    if len(value) > _LONGEST or _NO_TEXT.search(value):
        raise Refusal(400, "That cannot be searched for", f"What was asked for as {name} is too long, or no text.")
    return value or None


def asked_number(request: web.Request, name: str) -> int | None:
    """Return a number of the query, or None where it is empty."""
    value = asked_text(request, name)
    return None if value is None else _number(value)


def asked_id(request: web.Request) -> int:
    """Return the event id in the path."""
    return _number(request.match_info["event_id"])


def link(request: web.Request, **changed: object) -> str:
    """Return the address of this page with other values."""
    query = {name: value for name, value in request.query.items() if value and name not in changed}
    query |= {name: str(value) for name, value in changed.items() if value != ""}
    return f"{request.path}?{urlencode(query)}" if query else request.path


def _number(value: str) -> int:
    if not (value.isascii() and value.isdigit()) or len(value) > len(str(_LARGEST)) or int(value) > _LARGEST:
        raise Refusal(404, "No such event", "An event has a number, and this is none.")
    return int(value)
