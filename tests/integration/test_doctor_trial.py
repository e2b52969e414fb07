"""The doctor tries the recipe for real users, leaves nothing behind, and counts who has no profile."""

import asyncio
import re

from tests.integration.conftest import MakeRole
from tests.support.database import Database, count, sign_up
from tests.support.examined import checks, findings, of
from tests.support.workload import TOO_LONG
from worker.store.connection import Connection

KINDS = """
    alter table public.users add phone text, add is_anonymous boolean not null default false;
    select pgmend.attach_source('public.users', 'public.profiles', recipe => '{"name": "users.email"}');
    insert into public.users (email, phone, is_anonymous) values
        ('ada@example.org', null, false), (null, '+49', false), (null, null, true), (null, null, false)
"""
SILENT_DROP = """
    create function public.drop_row() returns trigger language plpgsql set search_path = '' as $$ begin return null; end $$;
    create trigger drop_row before insert on public.profiles for each row execute function public.drop_row()
"""
LOUD = """
    create function public.tell() returns trigger language plpgsql set search_path = '' as
    $$ begin perform pg_catalog.pg_notify('application', 'profile'); return null; end $$;
    create trigger tell after insert on public.profiles for each row execute function public.tell()
"""
EVERY_TABLE = """
    select format('%I.%I', schemaname, tablename) from pg_tables where schemaname in ('public', 'pgmend') order by 1
"""
NO_LONGER_UNDER_WAY = "update pgmend.express_events set created_at = now() - interval '1 minute'"


async def test_recipe_that_holds_is_tried_and_not_mentioned(database: Database) -> None:
    """A user without profile is tried, and nothing is to be said."""
    await sign_up(await database.connect())

    assert not {check for check in checks(await findings(database)) if check.startswith("recipe_")}


async def test_refused_profile_is_named_by_sqlstate_and_constraint(database: Database) -> None:
    """What refuses the profile, and nothing of the row."""
    await sign_up(await database.connect(), name=TOO_LONG)

    (finding,) = of(await findings(database), "recipe_refused")

    assert finding.what.startswith("SQLSTATE 23514, constraint profiles_name_is_short: ")
    assert TOO_LONG not in finding.what
    assert finding.mend.startswith("select pgmend.attach_source('public.users', 'public.profiles', recipe => ")


async def test_recipe_is_tried_for_every_kind_of_user(database: Database) -> None:
    """A recipe over the e-mail holds for ordinary users, and is refused for each kind that has none."""
    await (await database.connect()).execute(KINDS)

    refused = of(await findings(database), "recipe_refused")

    assert {finding.subject.rpartition(", ")[2] for finding in refused} == {
        "a user with a phone alone",
        "an anonymous user",
        "a user without e-mail",
    }
    assert all(finding.what.startswith("SQLSTATE 23502, column name: ") for finding in refused)


async def test_profile_that_is_silently_dropped_is_found(database: Database) -> None:
    """A trigger that returns NULL raises nothing, and the user stays without profile."""
    connection = await database.connect()
    await connection.execute(SILENT_DROP)
    await sign_up(connection)

    assert of(await findings(database), "recipe_makes_nothing")


async def test_user_who_shall_have_none_is_not_tried(database: Database) -> None:
    """An erased user, and one who is not eligible, leave nobody to try the recipe for."""
    connection = await database.connect()
    await sign_up(connection, name=TOO_LONG)
    await connection.execute("update public.users set deleted_at = now()")
    found = await findings(database)

    assert "nobody to try it for" in of(found, "recipe_not_tried")[0].what
    assert not checks(found) & {"recipe_refused", "users_without_profile"}


async def test_trial_leaves_nothing_behind(database: Database) -> None:
    """No table has a row more or less, and nobody is notified, neither by pgmend nor by the application's triggers."""
    connection, listening = await database.connect(), await database.connect()
    await connection.execute(LOUD)
    await sign_up(connection)
    before = await _counts(connection)
    heard: asyncio.Queue[object] = asyncio.Queue()
    await listening.add_listener("application", lambda *ring: heard.put_nowait(ring[3]))

    await findings(database)
    await connection.execute("select pg_notify('application', 'the test itself')")

    assert await heard.get() == "the test itself"
    assert await _counts(connection) == before


async def test_trial_rings_no_worker(database: Database, make_role: MakeRole) -> None:
    """Announcing users for the trial, as a role that may not read them does, wakes nobody."""
    await make_role("lent_worker", "login in role pgmend_worker")
    connection, listening = await database.connect(), await database.connect()
    await sign_up(connection)
    await connection.execute("delete from pgmend.express_events")
    heard: asyncio.Queue[object] = asyncio.Queue()
    await listening.add_listener("pgmend", lambda *ring: heard.put_nowait(ring[3]))

    found = await findings(database, role="lent_worker")
    await connection.execute("select pg_notify('pgmend', 'the test itself')")

    rung = [await heard.get(), await heard.get()]
    assert re.fullmatch("[0-9a-f]{32}", str(rung[0])), "the probe's own"
    assert rung[1] == "the test itself"
    assert "recipe_not_tried" not in checks(found)


async def test_worker_tries_the_recipe_for_users_that_it_may_not_read(database: Database, make_role: MakeRole) -> None:
    """Whom the sweep would announce is tried, announced or not."""
    await make_role("lent_worker", "login in role pgmend_worker")
    connection = await database.connect()
    await sign_up(connection, name=TOO_LONG)
    await connection.execute("delete from pgmend.express_events")

    (finding,) = of(await findings(database, role="lent_worker"), "recipe_refused")

    assert finding.subject.endswith("an announced user")
    assert await count(connection, "pgmend.outbox") == 0


async def test_trial_waits_for_nobody(database: Database) -> None:
    """A locked user is a note, and the doctor goes on."""
    connection, holder = await database.connect(), await database.connect()
    await sign_up(connection)
    async with holder.transaction():
        await holder.execute("select from public.users for update")
        found = await findings(database)

    assert "SQLSTATE 55P03" in of(found, "recipe_not_tried")[0].what


async def test_trial_can_be_left_out(database: Database) -> None:
    """Where a trigger calls something outside, nothing is tried."""
    await sign_up(await database.connect(), name=TOO_LONG)
    found = await findings(database, with_trial=False)

    assert of(found, "recipe_not_tried")[0].what == "--no-trial"
    assert "recipe_refused" not in checks(found)


async def test_table_that_is_locked_is_a_note(database: Database) -> None:
    """The doctor does not queue behind a migration of the application, and says what it has not seen."""
    holder = await database.connect()
    async with holder.transaction():
        await holder.execute("lock table public.users")
        found = await findings(database)

    source = "source 1 (public.users -> public.profiles)"
    assert [finding.subject for finding in of(found, "not_seen")] == [f"the conditions of {source}", f"the users of {source}"]
    assert "condition_refused" not in checks(found)
    assert "SQLSTATE 55P03" in of(found, "recipe_not_tried")[0].what


async def test_users_without_profile_are_counted_with_first_and_last(database: Database) -> None:
    """Users of the past that nothing announced: how many, since when, and that they become no more."""
    connection = await database.connect()
    await connection.execute(
        """
        insert into public.users (email, created_at) values ('a@x', '2020-01-01 UTC'), ('b@x', '2021-01-01 UTC');
        insert into public.users (email, created_at, deleted_at) values ('c@x', '2019-01-01 UTC', now());
        delete from pgmend.express_events
        """
    )
    (finding,) = of(await findings(database), "users_without_profile")

    assert finding.what.startswith("2 users; the first of 2020-01-01 ")
    assert "the last of 2021-01-01 " in finding.what
    assert finding.what.endswith("none within the last hour")


async def test_users_who_become_more_are_called_growing(database: Database) -> None:
    """A sign-up of this moment is under way and is not counted; one that waits for a minute is, and says that it goes on."""
    connection = await database.connect()
    await sign_up(connection)
    assert "users_without_profile" not in checks(await findings(database))

    await connection.execute(NO_LONGER_UNDER_WAY)
    (finding,) = of(await findings(database), "users_without_profile")
    assert finding.what.endswith("still growing, 1 within the last hour")


async def test_count_that_takes_too_long_is_a_note(database: Database) -> None:
    """A statement timeout ends one look, not the report."""
    connection = await database.connect()
    await connection.execute("insert into public.users (email) select 'u' || n from generate_series(1, 20000) as n")
    found = await findings(database, statement_seconds=0.001)

    assert [finding for finding in of(found, "not_seen") if "57014" in finding.what]


async def _counts(connection: Connection) -> dict[str, int]:
    tables = [row[0] for row in await connection.fetch(EVERY_TABLE)]
    assert "pgmend.express_events" in tables
    return {table: await count(connection, table) for table in tables}
