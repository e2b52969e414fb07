"""Profiles tables with rules of their own: what one user's profile meets is that user's matter."""

from dataclasses import replace

import asyncpg
import pytest

from tests.support.database import count
from tests.support.outbox import dead_letters
from tests.support.shapes import NOTES, SHAPES, USERS, Shape
from worker import pipeline
from worker.pipeline import Path
from worker.store.connection import Connection

TAKEN = {
    "partial unique index": SHAPES["partial unique indexes on profiles"],
    "unique username": Shape(
        USERS + "create table shape.profiles (id uuid primary key, name text not null unique);" + NOTES,
    ),
}
CLOSED = "update shape.profiles set closed_at = now()"


@pytest.mark.parametrize("shape", TAKEN.values(), ids=TAKEN)
async def test_name_that_is_taken_is_told_and_takes_nobody_elses(connection: Connection, path: Path, shape: Shape) -> None:
    """The second Ada has no profile: her insert keeps the key's error, her capture is a dead letter that says why."""
    await shape.build(connection)
    await connection.fetchval(shape.sign_up)
    await pipeline.turn(path)
    second = str(await connection.fetchval(shape.sign_up))
    await shape.guard(connection, "ensure")
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await shape.insert(connection, second)

    await shape.report(connection, second)
    await pipeline.turn(path)

    assert await dead_letters(connection) == [("needs_recipe", "23505"), ("needs_recipe", "23505")]
    assert await count(connection, "shape.profiles") == 1


async def test_name_of_a_closed_profile_is_free_again(connection: Connection, path: Path) -> None:
    """A partial index asks for open profiles only, and so do we."""
    shape = SHAPES["partial unique indexes on profiles"]
    await shape.build(connection)
    await connection.fetchval(shape.sign_up)
    await pipeline.turn(path)
    await connection.execute(CLOSED)
    second = str(await connection.fetchval(shape.sign_up))
    await shape.guard(connection, "ensure")

    assert await shape.insert(connection, second) == "hi"


async def test_username_that_the_check_refuses_is_told(connection: Connection, path: Path) -> None:
    """The dead letter of the sign-up names the constraint, and the insert keeps the key's error."""
    shape = replace(SHAPES["username unique and checked"], recipe={"username": "users.email"})
    await shape.build(connection)
    await shape.guard(connection, "ensure")
    key = str(await connection.fetchval(shape.sign_up))
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await shape.insert(connection, key)

    await pipeline.turn(path)

    assert await connection.fetchval("select verdict || sqlstate || hint from pgmend.dead_letters") == (
        "needs_recipe23514The recipe builds a profile that profiles_username_check refuses. "
        "Change the recipe (pgmend.attach_source) or the user, and requeue."
    )


async def test_workspace_of_a_profile_that_is_refused_is_not_left_behind(connection: Connection, path: Path) -> None:
    """The application's own function is all or nothing: no workspace without its profile, whoever called."""
    shape = SHAPES["workspace first"]
    await shape.build(connection)
    await connection.execute("alter table shape.profiles add constraint nobody check (workspace_id < 0)")
    await shape.guard(connection, "ensure")
    key = str(await connection.fetchval(shape.sign_up))
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await shape.insert(connection, key)

    await pipeline.turn(path)

    assert await dead_letters(connection) == [("needs_recipe", "23514")]
    assert await count(connection, "shape.workspaces") == 0
