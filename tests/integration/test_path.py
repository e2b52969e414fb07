"""The path of an event, in one process: what a turn makes of sign-ups and of captured inserts."""

from tests.support.database import count, sign_up
from worker import pipeline
from worker.pipeline import Path
from worker.store.connection import Connection


async def test_sign_up_without_profile_is_healed_and_audited_once(connection: Connection, path: Path) -> None:
    """One turn makes the profile by the recipe, audits it once and acknowledges the event."""
    key = await sign_up(connection, "ada@example.org")

    turn = await pipeline.turn(path)

    assert turn.handled == 1
    assert await connection.fetchval("select name from public.profiles where id = $1", key) == "ada"
    assert await count(connection, "public.error_logs where error_type = 'MISSING_PROFILE_CREATED' and user_id = $1", key) == 1
    assert await count(connection, "pgmend.outbox") == 0
