"""An address to serve on: ``[HOST:]PORT``."""

import re
from dataclasses import dataclass

_WRITTEN = re.compile(r"(?:(?P<host>\[[0-9a-fA-F:.%]+\]|[^:\[\]\s]+):)?(?P<port>\d{1,5})")
_LAST_PORT = 65_535


@dataclass(frozen=True, slots=True)
class Address:
    """Where to serve. Port 0: any that is free."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parsed(text: str) -> tuple[str | None, int]:
    """Return host (None: not said) and port. Raises ValueError."""
    match = _WRITTEN.fullmatch(text)
    if match is None or int(match["port"]) > _LAST_PORT:
        raise ValueError(text)
    host = match["host"]
    return (host.strip("[]") if host else None), int(match["port"])
