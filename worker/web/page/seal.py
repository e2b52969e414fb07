"""Seals: short texts that only this page can have written, each for one purpose and with an end to its validity.

The key is derived from the token, so a new token ends every session, and workers of one configuration know each other's.
"""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass, field

_SALT = b"pgmend page"
_MAC_BYTES = 32


@dataclass(frozen=True, slots=True)
class Seal:
    """A key that never leaves the process."""

    key: bytes = field(repr=False)

    def close(self, purpose: str, content: str, *, until: float) -> str:
        """Return the sealed content, valid for this purpose until that second of the epoch."""
        body = f"{int(until)} {content}".encode()
        return f"{_packed(body)}.{_packed(self._mac(purpose, body))}"

    def open(self, purpose: str, sealed: str, *, now: float) -> str | None:
        """Return the content, or None: forged, of another purpose, or past its end."""
        packed_body, _, packed_mac = sealed.partition(".")
        body, mac = _unpacked(packed_body), _unpacked(packed_mac)
        if body is None or mac is None or not hmac.compare_digest(mac, self._mac(purpose, body)):
            return None
        until, _, content = body.decode().partition(" ")
        return content if now < int(until) else None

    def _mac(self, purpose: str, body: bytes) -> bytes:
        return hmac.digest(self.key, purpose.encode() + b"\n" + body, "sha256")


def seal_of(token: str) -> Seal:
    """Derive the key; slow on purpose, so that a stolen cookie does not give a weak token away."""
    return Seal(hashlib.scrypt(token.encode(), salt=_SALT, n=2**14, r=8, p=1, dklen=_MAC_BYTES))


def _packed(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _unpacked(text: str) -> bytes | None:
    try:
        return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError, ValueError):
        return None
