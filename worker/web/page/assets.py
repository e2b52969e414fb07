"""Static files, served under the hash of their content, so that a browser may keep them for ever."""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent / "static"

_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file: ``path`` is its address on the page."""

    path: str
    content: bytes
    content_type: str


@cache
def assets() -> dict[str, Asset]:
    """Return every static file by its name in the package."""
    return {path.name: _read(path) for path in sorted(_FOLDER.iterdir()) if path.suffix in _TYPES}


def _read(path: Path) -> Asset:
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()[:16]
    return Asset(f"/static/{path.stem}.{digest}{path.suffix}", content, _TYPES[path.suffix])
