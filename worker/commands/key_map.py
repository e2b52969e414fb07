"""The file of the strategy ``map``: which key takes the place of which."""

import csv
from collections.abc import Mapping
from pathlib import Path

from worker.errors import RepairRefusedError


def read_mapping(name: str) -> Mapping[str, str]:
    """Return old key to new key from a CSV file of two columns; a first line ``old,new`` is its heading."""
    try:
        with Path(name).open(newline="", encoding="utf-8") as file:
            rows = [row for row in csv.reader(file) if row]
    except OSError as error:
        raise RepairRefusedError(f"the file {name} cannot be read", detail=error.strerror or "", hint="check its name") from error
    if rows and rows[0] == ["old", "new"]:
        del rows[0]
    wrong = next((number for number, row in enumerate(rows, 1) if len(row) != 2 or not all(row)), None)  # noqa: PLR2004 - old, new
    if wrong is not None:
        raise RepairRefusedError(
            f"{name}, row {wrong}, is not old,new", hint="two columns: the key that is there, and the new one"
        )
    mapping = dict(rows)
    if len(mapping) != len(rows):
        raise RepairRefusedError(f"{name} names a key twice", hint="one line for each old key")
    return mapping
