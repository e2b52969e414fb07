"""Guards, attachments and the uninstall: what cannot be kept is refused in time, with a hint."""

import asyncio

import asyncpg
import pytest

from tests.support.database import Database, count, sign_up
from tests.support.waiting import eventually
from tests.support.workload import park_order
from worker.errors import EventsPendingError
from worker.store import migrations
from worker.store.connection import Connection


async def test_key_to_another_column_of_the_profiles_is_refused(connection: Connection) -> None:
    """A foreign key that refers to a handle cannot be healed by making the profile of a user."""
    await connection.execute(
        """
        alter table public.profiles add column handle text unique;
        create table public.mentions (handle text constraint mentions_handle_fkey references public.profiles (handle))
        """
    )
    with pytest.raises(asyncpg.UndefinedObjectError) as refused:
        await connection.execute("select pgmend.guard('public.mentions', 'mentions_handle_fkey')")

    assert "attach_source" in (refused.value.hint or "")


async def test_profiles_of_two_users_tables_are_refused(connection: Connection) -> None:
    """Where a missing profile could be anybody's, no source is picked by chance."""
    await connection.execute(
        """
        create table public.members (id uuid primary key);
        select pgmend.attach_source('public.members', 'public.profiles', '{"name": "''member''"}')
        """
    )
    with pytest.raises(asyncpg.AmbiguousParameterError) as refused:
        await connection.execute("select pgmend.guard('public.orders', 'fk_orders_user_id')")

    assert "several users tables" in (refused.value.hint or "")


@pytest.mark.parametrize("arguments", ["text", "jsonb, text", "json", ""])
async def test_replay_function_that_cannot_take_the_row_is_refused(connection: Connection, arguments: str) -> None:
    """A function that the worker could not call is found out when it is named, not at the first replay."""
    function = f"public.again({arguments})"
    await connection.execute(f"create function {function} returns void language sql as 'select'")

    with pytest.raises(asyncpg.InvalidFunctionDefinitionError) as refused:
        await connection.execute(f"select pgmend.guard('public.orders', 'fk_orders_user_id', replay_function => '{function}')")

    assert "jsonb" in (refused.value.hint or "")


async def test_refused_guard_leaves_the_one_there_was(connection: Connection) -> None:
    """A guard that is refused changes nothing."""
    before = await connection.fetch("select * from pgmend.guarded_constraints order by 1, 2")
    with pytest.raises(asyncpg.UndefinedObjectError):
        await connection.execute("select pgmend.guard('public.orders', 'orders_pkey')")

    assert await connection.fetch("select * from pgmend.guarded_constraints order by 1, 2") == before


async def test_uninstall_waits_for_a_capture_under_way_and_then_refuses(database: Database, connection: Connection) -> None:
    """A row that is being captured while somebody uninstalls is not lost between the count and the drop."""
    key = await sign_up(connection)
    capturing, removing = await database.connect(), await database.connect()
    async with capturing.transaction():
        await park_order(capturing, key)
        uninstalling = asyncio.ensure_future(migrations.uninstall(removing, discard_events=False))
        await eventually(lambda: count(connection, "pg_locks where relation = 'pgmend.careful_events'::regclass and not granted"))

    with pytest.raises(EventsPendingError, match="1 captured rows"):
        await uninstalling

    assert await count(connection, "pgmend.outbox where kind = 'insert_failed'") == 1
