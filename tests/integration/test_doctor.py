"""The doctor finds each thing that can go wrong, and the SQL that it prints mends it."""

import shlex

import pytest

from tests.support.ailments import APPLICATION_TRIGGER, BROKEN, BROKEN_AND_MENDED, OF_A_FUNCTION, OLD_EVENT, PINNED
from tests.support.broken import CONDITION, MENDED
from tests.support.database import Database
from tests.support.examined import checks, examined, findings, of
from tests.support.process import run_command
from worker.core.doctor.sources import ANEW
from worker.counting import count as count_integrity

WORKER_LOGIN = """
    do $$ begin
        create role app_worker login in role pgmend_worker;
    exception when duplicate_object then null;
    end $$
"""
BOTH_CONDITIONS = f"""
    select pgmend.attach_source(
        'public.users', 'public.profiles', recipe || '{{"name": "''new''"}}',
        eligible_when => 'users.email is not null', erased_when => erased_when
    ) from pgmend.profile_sources;
    alter table public.users rename column email to mail;
    {CONDITION}
"""

ON_THE_SAMPLE = {
    "worker_is_superuser",
    "key_not_guarded",
    "key_without_index",
    "worker_not_seen",
    "recipe_not_tried",
    "profile_trigger_fires",
}
"""What the doctor says of the sample application, attached: conversations.admin_id is not guarded, and has no index."""


async def test_attached_sample_has_no_error(database: Database) -> None:
    """The doctor finds exactly what is so of the sample application; its silence is the other half of every test here."""
    found = await findings(database)

    assert checks(found) == ON_THE_SAMPLE
    assert not any(finding.severity == "error" for finding in found)
    assert [finding.subject for finding in of(found, "key_not_guarded")] == ["public.conversations conversations_admin_id_fkey"]


@pytest.mark.parametrize(("check", "cause"), BROKEN_AND_MENDED)
async def test_what_the_finding_prints_mends_it(database: Database, check: str, cause: str) -> None:
    """The condition is found, and its SQL, pasted as it is, ends it."""
    connection = await database.connect()
    await connection.execute(cause)
    found = of(await findings(database), check)
    assert found

    for finding in found:
        for command in finding.mend.splitlines():
            await connection.execute(command)

    assert check not in checks(await findings(database))


@pytest.mark.parametrize(("check", "cause", "says"), BROKEN)
async def test_condition_is_found_and_named(database: Database, check: str, cause: str, says: str) -> None:
    """The finding names what is wrong."""
    connection = await database.connect()
    await connection.execute(cause)

    (finding,) = of(await findings(database), check)

    assert says in finding.what
    assert finding.mend


@pytest.mark.parametrize(("check", "cause"), OF_A_FUNCTION)
async def test_function_that_makes_profiles_is_named_as_the_server_reads_it(database: Database, check: str, cause: str) -> None:
    """What is printed runs, and the source keeps its function."""
    connection = await database.connect()
    await connection.execute(cause)

    (finding,) = of(await findings(database), check)
    await connection.execute(finding.mend)

    assert await connection.fetchval("select recipe_function from pgmend.profile_sources") == "public.make_profile"


async def test_events_of_a_paused_source_are_not_overdue(database: Database) -> None:
    """They wait for a person, and no worker is to blame: that the source is paused is all that is said."""
    connection = await database.connect()
    await connection.execute(f"{OLD_EVENT}; select pgmend.pause_source(1, 'a person looks')")

    found = checks(await findings(database))

    assert "source_paused" in found
    assert "events_overdue" not in found


async def test_large_outbox_is_not_counted_to_its_end(database: Database) -> None:
    """How long the oldest event has been due is known all the same."""
    connection = await database.connect()
    await connection.execute(f"""
        {OLD_EVENT};
        insert into pgmend.express_events (source_id, user_key) select 1, md5(n::text) from generate_series(1, 10010) as n;
    """)

    assert (await examined(database.url)).facts["outbox"].startswith("10,000 events or more, the oldest due for 3,6")


async def test_schema_that_is_not_there_is_all_that_is_said(empty_database: Database) -> None:
    """On an empty database the doctor says that, and what the connection is like."""
    report = await examined(empty_database.url)

    assert [finding.check for finding in report.findings] == ["schema_missing"]
    assert list(report.facts) == ["server", "database", "role", "pooler"]


async def test_application_trigger_that_is_in_order_is_passed_over(database: Database) -> None:
    """Security definer, a pinned path and a handler that raises: nothing to say."""
    connection = await database.connect()
    await connection.execute(APPLICATION_TRIGGER.format(options=PINNED, handler="exception when others then raise;"))

    assert checks(await findings(database)) == ON_THE_SAMPLE


async def test_trigger_that_makes_no_profile_needs_no_rights(database: Database) -> None:
    """A trigger on the users table that keeps to itself is none of the doctor's business."""
    connection = await database.connect()
    await connection.execute(
        """
        create function public.stamp() returns trigger language plpgsql as $$ begin return new; end $$;
        create trigger stamp before insert on public.users for each row execute function public.stamp()
        """
    )

    assert checks(await findings(database)) == ON_THE_SAMPLE


async def test_worker_seen_lately_is_not_missed(database: Database) -> None:
    """A heartbeat of a moment ago is enough; one of a minute ago is not."""
    connection = await database.connect()
    await connection.execute(
        "insert into pgmend.workers (worker_id, host, pid, version, listening) values ('w', 'h', 1, '0', true)"
    )
    assert "worker_not_seen" not in checks(await findings(database))

    await connection.execute("update pgmend.workers set seen_at = now() - interval '1 minute'")
    (finding,) = of(await findings(database), "worker_not_seen")
    assert "the last one was seen 60 s ago, and has not said that it stops" in finding.what


async def test_second_source_is_examined_too(database: Database) -> None:
    """Each source has its own trigger, its own functions and its own findings, quoted names included."""
    connection = await database.connect()
    await connection.execute(
        """
        create schema "Auth";
        create table "Auth"."User" ("userId" bigint generated always as identity primary key, email text);
        create table "Auth"."Profile" ("userId" bigint primary key);
        select pgmend.attach_source('"Auth"."User"', '"Auth"."Profile"', users_key => 'userId', profiles_key => 'userId');
        create table "Auth"."Post" ("authorId" bigint constraint "Post_author" references "Auth"."Profile");
        alter table "Auth"."User" disable trigger user
        """
    )
    found = await findings(database)
    for finding in [*of(found, "sign_up_trigger_disabled"), *of(found, "key_not_guarded"), *of(found, "key_without_index")]:
        await connection.execute(finding.mend)

    assert of(found, "sign_up_trigger_disabled")[0].subject == '"Auth"."User"'
    assert checks(await findings(database)) == ON_THE_SAMPLE - {"key_not_guarded", "key_without_index"}


async def test_partitioned_table_gets_an_index_that_can_be_made_there(database: Database) -> None:
    """No index is built concurrently on a partitioned table; its partitions' copies of the key are not named."""
    connection = await database.connect()
    await connection.execute(
        """
        create table public.events (user_id uuid references public.profiles (id), n int) partition by range (n);
        create table public.events_1 partition of public.events for values from (0) to (10)
        """
    )
    (finding,) = [it for it in of(await findings(database), "key_without_index") if "events" in it.subject]
    await connection.execute(finding.mend)

    assert finding.subject.startswith("public.events ")
    assert not [it for it in of(await findings(database), "key_without_index") if "events" in it.subject]


@pytest.mark.parametrize("role", ["postgres", "app_worker"])
async def test_condition_that_raises_is_an_error_and_what_it_prints_mends_it(database: Database, role: str) -> None:
    """Its text, what the server has against it, and a command that wants nothing but the new condition in its place."""
    connection = await database.connect()
    await connection.execute(f"{WORKER_LOGIN}; {CONDITION}")
    (finding,) = of(await findings(database, role=role), "condition_refused")
    says = "erased_when is users.deleted_at is not null; SQLSTATE 42703: column users.deleted_at does not exist"
    program, *arguments = shlex.split(finding.mend)
    as_printed = await run_command(database.url, *arguments)
    done = await run_command(database.url, *(MENDED if it == ANEW else it for it in arguments))

    assert (finding.severity, finding.what, program) == ("error", says, "pgmend")
    assert (as_printed[0], done[0]) == (32, 0)
    assert "condition_refused" not in checks(await findings(database, role=role))


async def test_both_conditions_are_told_and_mended_with_one_command(database: Database) -> None:
    """Each would be in the way of the other."""
    connection = await database.connect()
    await connection.execute(BOTH_CONDITIONS)
    found = of(await findings(database), "condition_refused")
    (mend,) = {finding.mend for finding in found}
    anew = iter(["users.mail is not null", MENDED])
    done = await run_command(database.url, *(next(anew) if it == ANEW else it for it in shlex.split(mend)[1:]))

    assert [finding.what.split(" is ")[0] for finding in found] == ["eligible_when", "erased_when"]
    assert done[0] == 0, done
    assert "condition_refused" not in checks(await findings(database))


async def test_condition_that_raises_for_one_users_values_is_no_error(database: Database) -> None:
    """That user is a dead letter, and the source works."""
    connection = await database.connect()
    await connection.execute(
        "select pgmend.attach_source('public.users', 'public.profiles', '{}', eligible_when => '1 / length(users.email) > -1');"
        "insert into public.users (email) values ('')"
    )

    assert "condition_refused" not in checks(await findings(database))


async def test_failure_that_the_sweep_has_kept_is_an_error(database: Database) -> None:
    """A function that is gone, as the worker has met it; what it prints makes what waits due when that is mended."""
    connection = await database.connect()
    await connection.execute("drop function public.display_name(text, text)")
    await count_integrity(connection)
    (finding,) = of(await findings(database), "source_fails")

    assert finding.severity == "error"
    assert finding.what.startswith("SQLSTATE 42883: function public.display_name(text, text) does not exist; 0 events")
    assert finding.mend == "pgmend resume --source 1"


async def test_condition_that_is_told_is_not_told_again_as_the_failure_of_the_sweep(database: Database) -> None:
    """One cause, one error."""
    connection = await database.connect()
    await connection.execute(CONDITION)
    await count_integrity(connection)

    errors = [finding.check for finding in await findings(database) if finding.severity == "error"]

    assert errors == ["condition_refused"]


async def test_who_resumes_a_paused_source_is_told_to_look_first(database: Database) -> None:
    """Beside the command that lets it go on stands the one that shows where the profiles went, and nobody is sent to heal."""
    connection = await database.connect()
    await connection.execute(
        "insert into public.users (email) values ('a@x');"
        "update pgmend.express_events set created_at = created_at - interval '1 hour';"
        "select pgmend.pause_source(1, 'a sweep found 9 of 9')"
    )
    found = await findings(database)
    (paused,) = of(found, "source_paused")
    (absent,) = of(found, "users_without_profile")

    assert paused.mend.endswith("-- but look first where the profiles went: pgmend diagnose")
    assert absent.mend == "pgmend diagnose"
