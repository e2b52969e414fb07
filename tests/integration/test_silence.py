"""Silence: what a row holds is in the row, and in no message, audit entry or log line."""

from io import StringIO

import pytest

from tests.support.database import count, sign_up
from tests.support.outbox import dead_letters
from tests.support.workload import park_order
from worker import pipeline
from worker.pipeline import Path
from worker.store.connection import Connection

PRIVATE = "born 1815"
WAYS = {
    "a cast in the recipe": """
        select pgmend.attach_source('public.users', 'public.profiles', '{"name": "(users.full_name)::int::text"}')
    """,
    "a condition of the source": """
        select pgmend.attach_source(
            'public.users', 'public.profiles', '{"name": "''x''"}', eligible_when => 'users.full_name::date < now()'
        )
    """,
    "a trigger that raises": """
        create function public.complain() returns trigger language plpgsql as
        $$ begin raise exception '% is no name', new.name; end $$;
        create trigger complain before insert on public.profiles for each row execute function public.complain()
    """,
    "a check": "alter table public.profiles add constraint no_digits check (name !~ '[0-9]')",
    "a trigger of the referring table": """
        alter table public.orders add column note text;
        create function public.complain() returns trigger language plpgsql as
        $$ begin perform (select full_name from public.users where id = new.user_id)::int; return new; end $$;
        create trigger complain after insert on public.orders for each row execute function public.complain()
    """,
}
"""How a value could come to be quoted by the database's message."""


@pytest.mark.parametrize("way", WAYS)
async def test_refused_value_is_quoted_nowhere(connection: Connection, path: Path, log_lines: StringIO, way: str) -> None:
    """Whatever quotes the value in its message, the message is not what is written down."""
    key = await sign_up(connection, name=PRIVATE)
    await park_order(connection, key)
    await connection.execute(WAYS[way])

    await pipeline.turn(path)

    assert await dead_letters(connection)
    assert await count(connection, "public.error_logs as entry where entry::text like $1", f"%{PRIVATE}%") == 0
    assert await count(connection, "pgmend.dead_letters as letter where letter::text like $1", f"%{PRIVATE}%") == 0
    assert PRIVATE not in log_lines.getvalue()
