"""Keys: users are known by whatever type their key has, in tables of whatever name."""

import json

import pytest

from tests.support.database import count
from tests.support.outbox import dead_letters
from worker import pipeline
from worker.log import Log
from worker.pipeline import Path
from worker.store.connection import Connection
from worker.sweeping import sweep

KEYS = {
    "char(26)": "01ARZ3NDEKTSV4RRFFQ69G5FAV",
    "char(30)": "shorter than the column",
    "text": 'it\'s "quoted" \\ {,}',
    "varchar(40)": " padded ",
    "integer": -7,
    "bigint": 2**40,
    "numeric": "1.50",
}


async def attach(connection: Connection, key_type: str) -> None:
    """Attach a users table with such a key; every name has capitals, and the recipe gives a column narrower than text."""
    await connection.execute(
        f"""
        create schema "App";
        create table "App"."User" ("Id" {key_type} primary key, "Country" char(2));
        create table "App"."Profile" ("Id" {key_type} primary key references "App"."User", "Country" char(2) not null);
        create table "App"."Order Line" ("Line" int, "Owner" {key_type} constraint "Fk Owner" references "App"."Profile");
        select pgmend.attach_source(
            '"App"."User"', '"App"."Profile"', $${{"Country": "users.\\"Country\\""}}$$, users_key => 'Id', profiles_key => 'Id'
        );
        select pgmend.guard('"App"."Order Line"', 'Fk Owner');
        """
    )


async def sign_up(connection: Connection, key_type: str) -> None:
    """Sign up one user with the key of that type."""
    user = json.dumps({"Id": KEYS[key_type], "Country": "US"})
    await connection.execute('insert into "App"."User" select * from jsonb_populate_record(null::"App"."User", $1)', user)


@pytest.mark.parametrize("key_type", KEYS)
async def test_user_is_healed_and_the_insert_replayed(connection: Connection, path: Path, key_type: str) -> None:
    """A profile is made and a captured row stands, whatever the type of the key."""
    await attach(connection, key_type)
    await sign_up(connection, key_type)
    line = json.dumps({"Line": 1, "Owner": KEYS[key_type]})
    await connection.execute("""select pgmend.insert_or_park('"App"."Order Line"', $1)""", line)

    await pipeline.turn(path)

    assert await dead_letters(connection) == []
    assert await count(connection, '"App"."Order Line" join "App"."Profile" on "Owner" = "Id" where "Country" = \'US\'') == 1
    assert await count(connection, "pgmend.outbox") == 0


@pytest.mark.parametrize("key_type", KEYS)
async def test_user_that_nothing_announced_is_swept_once_and_healed(
    connection: Connection, path: Path, log: Log, key_type: str
) -> None:
    """The sweep finds a user without a profile by that key, and none that an event or a dead letter names already."""
    await attach(connection, key_type)
    await connection.execute("set session_replication_role = replica")
    await sign_up(connection, key_type)

    await sweep(path.connection, log, most=100)
    await sweep(path.connection, log, most=100)

    assert await count(connection, "pgmend.outbox") == 1
    await pipeline.turn(path)
    assert await count(connection, '"App"."Profile" join "App"."User" using ("Id", "Country")') == 1


async def test_key_that_no_user_can_have_is_captured_all_the_same(connection: Connection, path: Path) -> None:
    """A referencing column may be wider than the users' key: such a row is an unknown user's, and a person sees it whole."""
    await attach(connection, "integer")
    await connection.execute('alter table "App"."Order Line" alter "Owner" type bigint')
    await connection.execute("""select pgmend.insert_or_park('"App"."Order Line"', '{"Line": 1, "Owner": 99999999999}')""")

    await pipeline.turn(path)

    assert await connection.fetchval("select row_image ->> 'Owner' from pgmend.dead_letters") == "99999999999"
