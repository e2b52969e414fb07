"""The statements in ``sql/statements``, read once; a statement's path is its function's name."""

from functools import cache
from pathlib import Path


def sql_directory() -> Path:
    """Return the directory ``sql``: beside the package in a checkout, inside it when installed from a wheel."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "sql"
    return installed if installed.is_dir() else package.parent / "sql"


@cache
def statement(name: str) -> str:
    """Return the text of ``sql/statements/NAME.sql``."""
    return (sql_directory() / "statements" / f"{name}.sql").read_text(encoding="utf-8")
