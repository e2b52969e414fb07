"""The throttle: who names a wrong token has to wait before the next, twice as long each time."""

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass, field

_FREE_FAILURES = 3
_LONGEST_WAIT_SECONDS = 300.0
_FORGOTTEN_AFTER_SECONDS = 3600.0
_MOST_ADDRESSES = 1024


@dataclass(slots=True)
class _Failures:
    count: int = 0
    last: float = 0.0


@dataclass(slots=True)
class Throttle:
    """Failures by the address that they came from. A whole IPv6 network of 64 bits counts as one.

    What an IPv4 address is called on a socket of both kinds is not such a network: it would be everybody's.
    """

    _failures: OrderedDict[str, _Failures] = field(default_factory=OrderedDict)

    def wait(self, address: str | None, now: float) -> float:
        """Return how many seconds this address has to wait before its word is heard; 0 when it need not."""
        failures = self._failures.get(_network(address))
        if failures is None or failures.count < _FREE_FAILURES or now - failures.last > _FORGOTTEN_AFTER_SECONDS:
            return 0.0
        pause = min(2.0 ** (failures.count - _FREE_FAILURES), _LONGEST_WAIT_SECONDS)
        return max(0.0, failures.last + pause - now)

    def failed(self, address: str | None, now: float) -> None:
        """Write down a wrong token."""
        network = _network(address)
        failures = self._failures.pop(network, _Failures())
        if now - failures.last > _FORGOTTEN_AFTER_SECONDS:
            failures = _Failures()
        failures.count, failures.last = failures.count + 1, now
        self._failures[network] = failures
        while len(self._failures) > _MOST_ADDRESSES:
            self._failures.popitem(last=False)

    def succeeded(self, address: str | None) -> None:
        """Forget what this address did wrong."""
        self._failures.pop(_network(address), None)


def _network(address: str | None) -> str:
    try:
        parsed = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return ""
    if parsed.version == 4:  # noqa: PLR2004 - the version of the protocol
        return str(parsed)
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False))
