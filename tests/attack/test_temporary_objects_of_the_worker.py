"""Who has the worker's role heals, and lends the recipe's triggers no objects of their own."""

from contextlib import suppress

import asyncpg
import pytest

from tests.support.database import count, sign_up
from worker.pipeline import Path
from worker.store.connection import Connection

NOTE = """
    create table public.activity_log (said text);
    create function public.note() returns trigger language plpgsql as
    $$ begin insert into activity_log values ('new'); return null; end $$;
    create trigger note after insert on public.profiles for each row execute function public.note()
"""
SEIZE = """
    create temp table activity_log (said text);
    create function pg_temp.seize() returns trigger language plpgsql as
    $$ begin raise warning 'seized by %', current_user; return null; end $$;
    create trigger seize before insert on activity_log for each row execute function pg_temp.seize()
"""


@pytest.mark.parametrize("heal", ["heal_user(1, $1)", "heal_one_1($1)", "heal_users(1, array[$1])", "heal_1(array[$1])"])
async def test_no_profile_is_made_in_a_worker_session_that_has_temporary_objects(
    connection: Connection, lent: Path, heal: str
) -> None:
    """A trigger on the profiles that leaves a name unqualified would find them, and run with the installer's rights."""
    await connection.execute(NOTE)
    heard: list[str] = []
    lent.connection.add_log_listener(lambda _, message: heard.append(message.message or ""))
    await lent.connection.execute(SEIZE)
    key = await sign_up(connection)

    with suppress(asyncpg.PostgresError):
        await lent.connection.fetch(f"select * from pgmend.{heal}", key)

    await connection.execute("select")
    assert heard == []
    assert await count(connection, "public.profiles") == 0
