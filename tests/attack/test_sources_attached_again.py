"""Attaching a source again is a decision of a person, as attaching it was."""

from tests.support.database import count
from worker import pipeline
from worker.pipeline import Path
from worker.store.connection import Connection

ATTACH = (
    "select pgmend.attach_source('public.users', 'public.profiles', recipe => '{\"name\": \"users.email\"}', eligible_when => $1)"
)
SWEEP = "select pgmend.sweep_users(1, 10000)"


async def test_users_who_become_eligible_by_attaching_again_stop_nothing(connection: Connection, path: Path) -> None:
    """Whoever widens eligible_when wants the profiles that are missing then."""
    await connection.execute(ATTACH, "users.email like 'u1%'")
    await connection.execute("insert into public.users (email) select 'u' || n from generate_series(1, 1000) as n")
    while (await pipeline.turn(path)).more:
        pass
    assert await connection.fetchval(SWEEP) == 0

    await connection.execute(ATTACH, "true")

    assert await connection.fetchval(SWEEP) == 888
    assert await count(connection, "pgmend.profile_sources where paused_at is not null") == 0
