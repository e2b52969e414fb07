"""Rehearsing a dead letter: what its requeue would come to, found out by the worker's own code, and undone."""

import asyncio

from tests.integration.test_requeue import two_dead_letters
from tests.support.database import Database, count, sign_up
from tests.support.outbox import due_now
from tests.support.workload import park_order, report_order
from worker import pipeline
from worker.core.rehearsal import Rehearsal
from worker.core.retry_policy import RetryPolicy
from worker.pipeline import Path
from worker.rehearsing import rehearse
from worker.store import dead_letters
from worker.store.connection import Connection

EVERYTHING = """
    select jsonb_build_array(
        (select jsonb_agg(to_jsonb(t)) from pgmend.dead_letters t), (select jsonb_agg(to_jsonb(t)) from pgmend.outbox t),
        (select jsonb_agg(to_jsonb(t)) from public.error_logs t), (select jsonb_agg(to_jsonb(t)) from public.profiles t),
        (select jsonb_agg(to_jsonb(t)) from public.orders t)
    )
"""
NAMES_MAY_BE_LONG = "alter table public.profiles drop constraint profiles_name_is_short"


async def rehearsed(connection: Connection) -> list[Rehearsal]:
    """Rehearse every dead letter, oldest event first."""
    ids = [row[0] for row in await connection.fetch("select event_id from pgmend.dead_letters")]
    letters = await dead_letters.as_events(connection, ids)
    return [await rehearse(connection, event, RetryPolicy(), lock_seconds=1) for event in letters]


async def test_rehearsal_says_what_would_stand_and_leaves_nothing(database: Database, connection: Connection, path: Path) -> None:
    """Profile and row are made and undone: not a row differs, and no bell has rung."""
    await two_dead_letters(connection, path)
    await connection.execute(NAMES_MAY_BE_LONG)
    rings: asyncio.Queue[object] = asyncio.Queue()
    await (await database.connect()).add_listener("pgmend", lambda *ring: rings.put_nowait(ring))
    before = await connection.fetchval(EVERYTHING)

    found = await rehearsed(connection)

    assert [it.said for it in found] == ["the profile would be made", "the profile would be made and the row would stand"]
    assert all(it.is_clear for it in found)
    assert await connection.fetchval(EVERYTHING) == before
    assert rings.empty()


async def test_rehearsal_names_the_next_obstacle(connection: Connection, path: Path) -> None:
    """The first one is mended; what lies behind it is told before anything is sent back."""
    await two_dead_letters(connection, path)
    first = (await rehearsed(connection))[1]
    await connection.execute(NAMES_MAY_BE_LONG)
    await connection.execute("alter table public.orders add constraint orders_amount_is_large check (amount > 10) not valid")

    second = (await rehearsed(connection))[1]

    assert first.failure is not None
    assert second.failure is not None
    assert (first.failure.sqlstate, first.failure.constraint) == ("23514", "profiles_name_is_short")
    assert (second.prospect, second.failure.sqlstate, second.failure.constraint) == ("fails", "23514", "orders_amount_is_large")
    assert "Remove the reason" in (second.hint or "")


async def test_rehearsal_runs_with_the_rights_of_the_writer(connection: Connection, writer: Connection, path: Path) -> None:
    """A writer who may no longer insert is told as such, as the replay would be."""
    await park_order(writer, await sign_up(connection))
    await connection.execute("revoke insert on public.orders from shop_writer")
    await pipeline.turn(path)

    (found,) = await rehearsed(connection)

    assert (found.prospect, found.failure and found.failure.sqlstate) == ("fails", "42501")
    assert "may not insert" in (found.hint or "")


async def test_rehearsal_tells_a_violation_for_what_it_is(connection: Connection, path: Path) -> None:
    """The worker gives a first violation the benefit of the doubt; the rehearsal looks twice, and says what it is."""
    await connection.execute(
        "create table public.shops (id int primary key); "
        "alter table public.orders add shop int not null default 7 constraint orders_shop_fkey references public.shops (id)"
    )
    await report_order(connection, await sign_up(connection))
    for _ in range(2):
        await pipeline.turn(path)
        await due_now(connection)
    await pipeline.turn(path)

    (found,) = await rehearsed(connection)

    assert (found.prospect, found.failure and found.failure.constraint) == ("fails", "orders_shop_fkey")
    assert "not there" in (found.hint or "")


async def test_rehearsal_of_an_erased_user_says_that_it_would_be_dropped(connection: Connection, path: Path) -> None:
    """Nothing would be made for them, and the row would go."""
    await two_dead_letters(connection, path)
    await connection.execute("update public.users set deleted_at = now()")

    found = await rehearsed(connection)

    assert {it.prospect for it in found} == {"settled"}
    assert all("erased" in it.said for it in found)
    assert await count(connection, "pgmend.dead_letters") == 2
