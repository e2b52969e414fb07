"""What a writer may store beside a captured row is limited as the row is."""

import json

import asyncpg
import pytest

from tests.support.database import sign_up
from worker.store.connection import Connection


@pytest.mark.parametrize("beside", ["waiting_for", "correlation_id"])
async def test_nothing_large_is_stored_beside_a_captured_row(connection: Connection, writer: Connection, beside: str) -> None:
    """What it waits for and its correlation id come from the writer, and count as part of the row."""
    row = json.dumps({"user_id": await sign_up(connection), "amount": 1})
    large = "x" * 2_000_000
    await writer.execute("select set_config('pgmend.correlation_id', $1, false)", large if beside == "correlation_id" else "")

    with pytest.raises(asyncpg.ProgramLimitExceededError, match="too large to be captured"):
        await writer.execute(
            "select pgmend.report_failed_insert('public.orders', $1, null, $2)", row, large if beside == "waiting_for" else None
        )
