"""Detaching: everything goes that attaching made, no captured row unasked, and no sign-up is broken by it."""

import asyncio

import asyncpg
import pytest

from tests.support import applications
from tests.support.activity import blocked, lock_table
from tests.support.applications import Supabase
from tests.support.database import Database, count, sign_up
from tests.support.waiting import eventually
from tests.support.workload import park_order
from worker import pipeline
from worker.errors import EventsPendingError, PgmendError
from worker.pipeline import Path
from worker.store import sources
from worker.store.connection import Connection, Target, connect

LEFT = """
    (
        select tgname::text from pg_trigger where tgname ~ '^(pgmend|PGMEND)'
        union all
        select proname from pg_proc
        where pronamespace = 'pgmend'::regnamespace and proname ~ '_\\d+$' and proname !~ '^replay_as_'
        union all
        select kind from pgmend.outbox
        union all
        select verdict from pgmend.dead_letters
        union all
        select mode from pgmend.guarded_constraints
        union all
        select recipe_function from pgmend.profile_sources
    ) as left_behind
"""
ATTACH = """
    select pgmend.attach_source('public.users', 'public.profiles', '{"name": "''somebody''"}');
    select pgmend.guard('public.orders', 'fk_orders_user_id', mode => 'ensure')
"""

CAMEL_ATTACHED = """
    select pgmend.attach_source(
        'public."User"', 'public."Profile"', $${"id": "users.id", "fullName": "users.\\"fullName\\""}$$, profiles_key => 'userId'
    )
"""
AGAIN_AND_AGAIN = (0.0,) * 1000
"""No pause in which it waits for nobody, so that it can be seen to wait."""


async def test_detaching_leaves_nothing_but_the_schema(connection: Connection) -> None:
    """Triggers, guards, functions, sign-ups that wait, configuration: all of it, and a sign-up is as it was before."""
    await connection.execute("select pgmend.guard('public.orders', 'fk_orders_user_id', mode => 'ensure')")
    await sign_up(connection)

    await connection.execute("select pgmend.detach_source(1)")

    assert await count(connection, LEFT) == 0
    await sign_up(connection, "grace@example.org")
    assert await count(connection, "pgmend.outbox") == 0


async def test_source_can_be_attached_again(connection: Connection, path: Path) -> None:
    """And then heals who came in between."""
    await connection.execute("select pgmend.detach_source(1)")
    await sign_up(connection)

    await connection.execute(ATTACH)
    await connection.execute("select pgmend.sweep_users(source_id, 10) from pgmend.profile_sources")
    await pipeline.turn(path)

    assert await count(connection, "public.profiles where name = 'somebody'") == 1


@pytest.mark.parametrize("lies", ["outbox", "dead_letters"])
async def test_captured_rows_are_not_lost_unless_that_is_said(connection: Connection, path: Path, lies: str) -> None:
    """Neither those that wait nor those that are set aside; and the refusal leaves everything as it was."""
    key = await sign_up(connection, name="x" * 121 if lies == "dead_letters" else None)
    await park_order(connection, key)
    if lies == "dead_letters":
        await pipeline.turn(path)
    before = await count(connection, LEFT)

    with pytest.raises(EventsPendingError, match=r"1 captured rows.*discard_events => true.* --discard-events"):
        await sources.detach(connection, [1], discard_events=False)

    assert await count(connection, LEFT) == before
    await sources.detach(connection, [1], discard_events=True)
    assert await count(connection, LEFT) == 0


async def test_capture_that_is_not_committed_yet_is_waited_for(connection: Connection, database: Database) -> None:
    """A row that somebody is just capturing counts as well, also where the conditions choke on the user."""
    await connection.execute(
        "select pgmend.attach_source('public.users', 'public.profiles', eligible_when => '1 / char_length(users.email) = 1')"
    )
    writer = await database.connect()
    key = await sign_up(connection, "")
    capturing = writer.transaction()
    await capturing.start()
    await park_order(writer, key)
    detaching = asyncio.ensure_future(sources.detach(connection, [1], discard_events=False, pauses=AGAIN_AND_AGAIN))
    await blocked(writer, "sources/detach")
    await capturing.commit()

    with pytest.raises(EventsPendingError):
        await detaching


async def test_other_sources_are_not_touched(connection: Connection, path: Path) -> None:
    """What lies for another source stays, and is healed."""
    await connection.execute(f"{applications.CAMEL}; {CAMEL_ATTACHED}")
    await sign_up(connection)
    await connection.execute("""insert into "User" values ('u1', 'u1@example.org', null, 'U One')""")

    await connection.execute("select pgmend.detach_source(1)")
    await pipeline.turn(path)

    assert await count(connection, 'public."Profile"') == 1
    assert await count(connection, "public.profiles") == 0


async def test_several_sources_are_detached_all_or_none(connection: Connection) -> None:
    """Where one would lose a captured row, the others stay as well."""
    await connection.execute(f"{applications.CAMEL}; {CAMEL_ATTACHED}")
    await park_order(connection, await sign_up(connection))
    before = await count(connection, LEFT)

    with pytest.raises(EventsPendingError):
        await sources.detach(connection, [2, 1], discard_events=False)

    assert await count(connection, LEFT) == before


async def test_users_of_another_owner_are_detached_without_owning_their_table(supabase: Supabase) -> None:
    """`drop function … cascade` takes the trigger along, where `drop trigger` would need the owner."""
    await applications.migrate(supabase.url)
    installer = await connect(Target(supabase.url))
    await installer.execute("select pgmend.attach_source('auth.users', 'public.profiles')")
    await installer.execute("select pgmend.guard('public.posts', 'posts_author_id_fkey', mode => 'ensure')")

    await installer.execute("select pgmend.detach_source(1)")

    assert await count(installer, LEFT) == 0
    await installer.close()


async def test_sign_up_is_never_the_victim_of_a_deadlock_with_it(connection: Connection, database: Database) -> None:
    """A transaction that meets it the other way round waits for an instant, and detaching tries again."""
    await connection.execute("select pgmend.guard('public.orders', 'fk_orders_user_id', mode => 'ensure')")
    writer = await database.connect()
    writing = await lock_table(writer, "public.orders", "row exclusive")
    detaching = asyncio.ensure_future(sources.detach(connection, [1], discard_events=False, pauses=AGAIN_AND_AGAIN))
    await blocked(writer, "sources/detach")
    await sign_up(writer)
    await writing.commit()
    await detaching

    assert await count(connection, "public.users") == 1
    assert await count(connection, "pgmend.profile_sources") == 0


async def test_lock_that_never_comes_is_given_up_and_nothing_is_changed(connection: Connection, database: Database) -> None:
    """Attaching and detaching say that somebody holds the table; a sign-up that waited behind goes on."""
    holding = await lock_table(await database.connect(), "public.users", "share")
    before = await count(connection, LEFT)

    with pytest.raises(PgmendError, match="locked by somebody else"):
        await sources.detach(connection, [1], discard_events=False, pauses=(0,))
    with pytest.raises(PgmendError, match="locked by somebody else"):
        await sources.attach(connection, f"set local lock_timeout = '50ms'; {ATTACH}", pauses=(0,))

    await holding.rollback()
    assert await count(connection, LEFT) == before


async def test_source_that_is_not_attached_is_refused(connection: Connection) -> None:
    """A wrong number removes nothing."""
    with pytest.raises(asyncpg.UndefinedObjectError, match="no profile source 7"):
        await connection.execute("select pgmend.detach_source(7)")


async def test_worker_goes_on_while_a_source_is_detached(connection: Connection, path: Path) -> None:
    """Events of a source that is gone are gone, and no turn fails for it."""
    await sign_up(connection)
    await connection.execute("select pgmend.detach_source(1)")

    await pipeline.turn(path)

    async def is_empty() -> bool:
        return await count(connection, "pgmend.outbox") == 0

    assert await eventually(is_empty)
