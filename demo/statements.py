"""The demo's SQL, read from the files beside it."""

from functools import cache
from pathlib import Path

DIRECTORY = Path(__file__).parent / "sql"
SAMPLE_APPLICATION = Path(__file__).parents[1] / "sql" / "demo"


@cache
def statement(name: str) -> str:
    """Return one statement by its path below ``sql``, without the ending."""
    return (DIRECTORY / f"{name}.sql").read_text(encoding="utf-8")


def invariant_names() -> list[str]:
    """Return the invariants' files in order, as names for ``statement``."""
    return [f"invariants/{path.stem}" for path in sorted((DIRECTORY / "invariants").glob("*.sql"))]


def sample_application() -> list[str]:
    """Return the files of the sample application in order."""
    return [path.read_text(encoding="utf-8") for path in sorted(SAMPLE_APPLICATION.glob("*.sql"))]
