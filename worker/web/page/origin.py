"""Whom the page answers, and whom it obeys: the Host header against DNS rebinding, the Origin header against other sites.

A rebound name is always a name: an address literal cannot be one, so every address is as good as another.
"""

import ipaddress
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

_ALWAYS = frozenset({"localhost"})


def is_known_host(host: str | None, names: Collection[str]) -> bool:
    """Return whether a Host header is an address, localhost, or one of the configured names."""
    name = _hostname(host)
    return name is not None and (name in _ALWAYS or name in names or _is_address(name))


def is_own_origin(headers: Mapping[str, str]) -> bool:
    """Return whether a request was sent by a page of this very host, as far as the browser says.

    A browser names the origin of every POST; ``null``, or no word of it at all, is not ours.
    """
    host = headers.get("Host", "").lower()
    if headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        return False
    try:
        origin = urlsplit(headers.get("Origin", ""))
    except ValueError:
        return False
    return bool(host) and origin.scheme in {"http", "https"} and origin.netloc.lower() == host


def is_https(headers: Mapping[str, str]) -> bool:
    """Return whether the browser speaks https, to us or to a proxy before us."""
    forwarded = headers.get("X-Forwarded-Proto", "").partition(",")[0].strip().lower()
    return forwarded == "https" or urlsplit(headers.get("Origin", "")).scheme == "https"


def _hostname(host: str | None) -> str | None:
    if not host or any(sign in host for sign in "/@?#\\ "):
        return None
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port  # raises where it is no port
    except ValueError:
        return None
    return (parts.hostname or "").rstrip(".") or None


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
