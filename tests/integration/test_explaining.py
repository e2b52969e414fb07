"""Explaining a user: the verdict, what it rests on, and what would happen."""

import pytest

from tests.integration.test_requeue import two_dead_letters
from tests.support.database import count, sign_up
from worker import pipeline
from worker.core.explanation import Explanation
from worker.core.retry_policy import RetryPolicy
from worker.explaining import Explaining
from worker.pipeline import Path
from worker.store.connection import Connection

NOBODY_IS_ELIGIBLE = """
    select pgmend.attach_source(
        'public.users', 'public.profiles', (select recipe from pgmend.profile_sources), eligible_when => 'users.email is null'
    )
"""


async def explained(connection: Connection, user_key: str) -> Explanation:
    """Explain a user of the one source."""
    (it,) = await Explaining(connection, RetryPolicy(), 1.0).explain(user_key)
    return it


@pytest.mark.parametrize(
    ("change", "verdict", "evidence"),
    [
        ("update public.users set deleted_at = now()", "erased", "the user is erased, and there is no profile"),
        (NOBODY_IS_ELIGIBLE, "not_eligible", "the user is there, but not eligible, and there is no profile"),
        ("insert into public.profiles select id, 'x' from public.users", "already_whole", "the user is there and eligible"),
        ("select", "in_flight", "the user is there and eligible, and there is no profile"),
    ],
)
async def test_verdict_rests_on_the_facts(connection: Connection, change: str, verdict: str, evidence: str) -> None:
    """Each with its evidence in words."""
    key = await sign_up(connection)
    await connection.execute(change)

    it = await explained(connection, key)

    assert it.verdict == verdict
    assert it.evidence.startswith(evidence)


async def test_user_who_was_deleted_is_told_from_one_whom_nobody_knows(connection: Connection, path: Path) -> None:
    """The audit remembers who has signed up once."""
    key = await sign_up(connection)
    await pipeline.turn(path)
    await connection.execute("delete from public.users")

    gone, unknown = await explained(connection, key), await explained(connection, "00000000-0000-0000-0000-000000000001")

    assert (gone.verdict, unknown.verdict) == ("erased", "unknown_user")
    assert "has signed up once" in gone.evidence


async def test_what_waits_and_what_lies_is_told_with_the_recipe_tried(connection: Connection, path: Path) -> None:
    """Events, dead letters, and what refuses the profile now; nothing of the trial stays."""
    key = await two_dead_letters(connection, path)
    event_id = await connection.fetchval("select min(event_id) from pgmend.dead_letters")
    await connection.execute("select pgmend.requeue(array[$1::bigint])", event_id)

    it = await explained(connection, key)

    assert (it.verdict, [event.event_id for event in it.pending], len(it.letters)) == ("needs_recipe", [event_id], 1)
    assert it.rehearsal is not None
    assert it.rehearsal.failure is not None
    assert it.rehearsal.failure.constraint == "profiles_name_is_short"
    assert next(it.prospects()).endswith(f"for event {event_id}")
    assert await count(connection, "public.profiles") == 0


async def test_paused_source_says_that_nothing_happens(connection: Connection) -> None:
    """With the reason that somebody gave."""
    key = await sign_up(connection)
    await connection.execute("select pgmend.pause_source(1, 'a person looks')")

    (said,) = (await explained(connection, key)).prospects()

    assert said.endswith("a person looks")


@pytest.mark.parametrize("key", ["ada@example.org", "nonsense", ""])
async def test_key_that_is_none_is_said_to_be_none(connection: Connection, key: str) -> None:
    """Whoever pastes an e-mail is told of which type the keys are."""
    it = await explained(connection, key)

    assert (it.verdict, it.evidence) == ("unknown_user", "keys of users are uuid, and this is none")
    assert not it.is_whole
