"""docs/clients.md, read: what the page says each client sees."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "clients.md"

Table = dict[tuple[str, str], dict[str, str]]
"""Rows by client and call; in each the cells by their column."""


def table_below(heading: str) -> Table:
    """Return the table of one section: the first two columns name the row."""
    section = PAGE.read_text(encoding="utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    header, _, *rows = [_cells(line) for line in section.splitlines() if line.startswith("|")]
    columns = [name.strip("`") for name in header[2:]]
    return {(row[0], row[1]): dict(zip(columns, row[2:], strict=True)) for row in rows}


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
