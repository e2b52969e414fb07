"""Keys that pgmend cannot work with, and what it says of them."""

import asyncpg
import pytest

from tests.support.shapes import SHAPES
from worker import pipeline
from worker.pipeline import Path
from worker.store.connection import Connection

DEFERRABLE = """
    alter table shape.notes drop constraint notes_user_id_fkey;
    alter table shape.notes add constraint notes_user_id_fkey foreign key (user_id) references shape.profiles (id) deferrable
"""
FILLED = """
    create function shape.fill() returns trigger language plpgsql as
    $$ begin new.user_id := current_setting('shape.caller')::uuid; return new; end $$;
    create trigger fill before insert on shape.notes for each row execute function shape.fill()
"""


@pytest.mark.parametrize(("users", "profiles"), [("uuid", "text"), ("text", "uuid"), ("bigint", "text")])
async def test_profiles_whose_key_is_of_another_type_are_refused(connection: Connection, users: str, profiles: str) -> None:
    """Text ids beside uuid ids: the refusal names both columns, and what to do."""
    await connection.execute(
        f"create schema shape; create table shape.u (id {users} primary key); create table shape.p (id {profiles} primary key)"
    )

    with pytest.raises(
        asyncpg.DatatypeMismatchError, match=rf"shape\.u\.id \({users}\) and shape\.p\.id \({profiles}\)"
    ) as refused:
        await connection.execute("select pgmend.attach_source('shape.u', 'shape.p', '{}')")

    assert "the type that the key of the users has" in (refused.value.hint or "")


@pytest.mark.parametrize(("users", "profiles"), [("integer", "bigint"), ("varchar(20)", "text")])
async def test_types_that_can_be_compared_are_attached(connection: Connection, users: str, profiles: str) -> None:
    """An integer user has a bigint profile, as foreign keys allow it."""
    await connection.execute(
        f"create schema shape; create table shape.u (id {users} primary key); create table shape.p (id {profiles} primary key)"
    )

    assert await connection.fetchval("select pgmend.attach_source('shape.u', 'shape.p', '{}')") == 2


@pytest.mark.parametrize("referenced", ["profiles (id)", "users (id)"], ids=["the profiles' own id", "the users"])
async def test_key_that_leads_elsewhere_is_no_guard(connection: Connection, referenced: str) -> None:
    """A key that refers to a surrogate of the profiles, or past them, names no user whose profile could be made."""
    await SHAPES["profiles with an id of their own"].build(connection)
    column = "int" if "profiles" in referenced else "uuid"
    await connection.execute(f"create table shape.letters (its {column} references shape.{referenced})")

    with pytest.raises(asyncpg.UndefinedObjectError):
        await connection.execute("select pgmend.guard('shape.letters', 'letters_its_fkey')")


async def test_key_deferrable_at_will_is_captured_but_not_ensured(connection: Connection, path: Path) -> None:
    """The functions work where the key is looked at with the statement; the trigger could not know when it is not."""
    shape = SHAPES["plain"]
    await shape.build(connection)
    await connection.execute(DEFERRABLE)
    key = str(await connection.fetchval(shape.sign_up))
    with pytest.raises(asyncpg.FeatureNotSupportedError):
        await shape.guard(connection, "ensure")
    await shape.guard(connection, "report")

    assert await shape.park(connection, key) == "parked"
    await pipeline.turn(path)

    assert await shape.stored(connection) == ["hi"]


async def test_deferred_key_is_reported_or_ensured(connection: Connection, path: Path) -> None:
    """A key that is looked at at the commit fails outside of insert_or_park; the report, and the guard, work."""
    shape = SHAPES["plain"]
    await shape.build(connection)
    await connection.execute(f"{DEFERRABLE} initially deferred")
    reported, ensured = [str(await connection.fetchval(shape.sign_up)) for _ in range(2)]
    await shape.guard(connection, "report")
    with pytest.raises(asyncpg.ForeignKeyViolationError, match="notes_user_id_fkey"):
        await shape.park(connection, reported)
    await shape.report(connection, reported)
    await shape.guard(connection, "ensure")
    await shape.insert(connection, ensured)

    await pipeline.turn(path)

    assert await shape.stored(connection) == ["hi", "hi"]


async def test_key_that_a_trigger_fills_in_is_ensured_but_not_captured(connection: Connection) -> None:
    """A row that does not name its user cannot wait for them: the caller gets the violation, and knows."""
    shape = SHAPES["plain"]
    await shape.build(connection)
    key = str(await connection.fetchval(shape.sign_up))
    await connection.execute(f"{FILLED}; set shape.caller = '{key}'")
    row = '{"content": "hi"}'
    await shape.guard(connection, "report")
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await connection.execute("select pgmend.insert_or_park('shape.notes', $1)", row)

    await shape.guard(connection, "ensure")

    assert await connection.fetchval("select pgmend.insert_or_park('shape.notes', $1) ->> 'status'", row) == "stored"
