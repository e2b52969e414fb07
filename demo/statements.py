"""The demo's SQL, read from the files beside it."""

from functools import cache
from pathlib import Path

DIRECTORY = Path(__file__).parent / "sql"
SAMPLE_APPLICATION = Path(__file__).parents[1] / "sql" / "demo"


@cache
def statement(name: str) -> str:
    """Return one statement by its path below ``sql``, without the ending."""
    return (DIRECTORY / f"{name}.sql").read_text(encoding="utf-8")


def invariant_names(folder: str = "invariants") -> list[str]:
    """Return the files of the invariants in a folder in order, as names for ``statement``."""
    return [f"{folder}/{path.stem}" for path in sorted((DIRECTORY / folder).glob("*.sql"))]


def sample_application(files: str = "*.sql") -> list[str]:
    """Return the files of the sample application in order, or those of such a name."""
    return [path.read_text(encoding="utf-8") for path in sorted(SAMPLE_APPLICATION.glob(files))]
