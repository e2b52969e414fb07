"""The address of a database as it may be shown: who connects to which host and database, and no secret."""

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

MASK = "********"
_SECRET_PARAMETERS = {"password", "sslpassword"}


def without_secrets(url: str) -> str:
    """Return the address with its passwords masked; all of it is masked where it cannot be told where a password ends.

    A password that was not encoded may hold what ends the part of an address that it stands in: then an ``@`` comes later on.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return MASK
    login, at, host = parts.netloc.rpartition("@")
    if "@" in login or "@" in parts.path + parts.query + parts.fragment:
        return MASK
    user, colon, _ = login.partition(":")
    netloc = f"{user}{colon and f':{MASK}'}{at}{host}"
    pairs = [
        (name, MASK if name.lower() in _SECRET_PARAMETERS else value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    ]
    return urlunsplit(parts._replace(netloc=netloc, query=urlencode(pairs, safe="*/")))
