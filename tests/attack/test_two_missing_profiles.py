"""A row with two guarded keys whose profiles are both missing."""

from tests.support.database import count
from tests.support.outbox import dead_letters, due_now
from tests.support.workload import park, play_unannounced
from worker import pipeline
from worker.pipeline import Path
from worker.store.connection import Connection

GIFTS = """
    create table public.gifts (
        giver uuid constraint gifts_giver_fkey references public.profiles (id),
        taker uuid constraint gifts_taker_fkey references public.profiles (id)
    );
    select pgmend.guard('public.gifts', 'gifts_giver_fkey');
    select pgmend.guard('public.gifts', 'gifts_taker_fkey')
"""


async def test_row_with_two_guarded_keys_stands_when_nothing_else_heals_the_second(connection: Connection, path: Path) -> None:
    """The captured row brings both profiles: no other event, and no sweep in time, has to announce the second user."""
    await connection.execute(GIFTS)
    giver, taker = await play_unannounced(connection, "giver@x"), await play_unannounced(connection, "taker@x")
    assert await park(connection, "public.gifts", {"giver": giver, "taker": taker}) == "parked"

    for _ in range(4):
        await due_now(connection)
        await pipeline.turn(path)

    assert await dead_letters(connection) == []
    assert await count(connection, "public.gifts") == 1
