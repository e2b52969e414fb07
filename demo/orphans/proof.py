"""The proof: checksums of each table before and after, and the rows counted."""

from demo.orphans.result import TableSums
from demo.statements import statement
from worker.store.connection import Connection


async def checksums(connection: Connection) -> list[TableSums]:
    """Return the checksums of every table as they were, and as they are."""
    rows = await connection.fetch(statement("orphans/checksums"))
    return [
        TableSums(
            table=row["table_name"],
            rows=row["all_rows"],
            others=row["other_rows"],
            others_before=row["other_checksum"],
            others_now=row["other_checksum_now"] or "",
            all_before=row["all_checksum"],
            all_now=row["all_checksum_now"] or "",
        )
        for row in rows
    ]


async def conservation(connection: Connection) -> str:
    """Return the count of all rows in a sentence."""
    row = await connection.fetchrow(statement("orphans/conservation"))
    assert row is not None  # a select without from always returns a row
    sentence = f"{row['rows_in_tables']:,} rows in the tables + {row['rows_in_quarantine']:,} in the quarantine = "
    both = row["rows_in_tables"] + row["rows_in_quarantine"]
    return f"{sentence}{both:,}; before the repair there were {row['rows_before']:,}"
