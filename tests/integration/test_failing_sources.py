"""A source that a migration of the application has broken is seen by the next sweep, named, and hides no other."""

import asyncio
from io import StringIO

import asyncpg
import pytest

from tests.support.broken import ATTACHED_AGAIN, BREAKS, CONDITION, failure
from tests.support.database import Database, count, sign_up
from tests.support.waiting import eventually
from worker.core.meters import Meters
from worker.core.vitals import Pulse
from worker.counting import count as count_integrity
from worker.counting import examine
from worker.log import Log
from worker.pipeline import Path, careful, turn
from worker.runtime.stopping import Stop
from worker.runtime.sweeper import Sweeper
from worker.store import pauses
from worker.store.connection import Connection, Target
from worker.store.profiles import lock_look, lock_sweep, refused_conditions
from worker.sweeping import sweep

OTHER = """
    create table public.members (id uuid primary key);
    create table public.badges (id uuid primary key);
    select pgmend.attach_source('public.members', 'public.badges');
    set session_replication_role = replica;
    insert into public.members values (gen_random_uuid());
    reset session_replication_role
"""
WAITING = "pgmend.careful_events where available_at > clock_timestamp() + interval '1 minute'"
FAR_OFF = """
    update pgmend.careful_events
    set attempts = 5, available_at = now() + interval '5 minutes', last_failure = '{"sqlstate": "42883", "message": "gone"}'
"""


@pytest.mark.parametrize(("breaks", "sqlstate", "says"), BREAKS)
async def test_broken_source_is_kept_as_failing(connection: Connection, breaks: str, sqlstate: str, says: str) -> None:
    """Whatever raises for everybody is met by the next count, with what the database says."""
    await sign_up(connection)
    await connection.execute(breaks)
    failing = await count_integrity(connection)
    kept = await failure(connection)

    assert set(failing) == {1}
    assert kept is not None
    assert kept["sqlstate"] == sqlstate
    assert says in kept["message"]


async def test_count_of_before_stays_and_so_does_the_time_of_the_first_failure(connection: Connection) -> None:
    """Nothing is counted any more, and nobody takes the old number for a new one."""
    await count_integrity(connection)
    counted = await connection.fetchval("select counted_at from pgmend.user_counts")
    await connection.execute(CONDITION)
    await count_integrity(connection)
    first = await failure(connection)
    await count_integrity(connection)
    second = await failure(connection)

    assert await connection.fetchval("select counted_at from pgmend.user_counts") == counted
    assert first is not None
    assert second is not None
    assert first["failing_since"] == second["failing_since"] < second["failed_at"]


async def test_failing_source_hides_no_other(database: Database, log: Log, log_lines: StringIO) -> None:
    """Users of the other source are announced and counted, and the failure stands in the log."""
    connection = await database.connect()
    await connection.execute(OTHER)
    await sign_up(connection)
    await connection.execute(CONDITION)
    stop = Stop()
    sweeping = asyncio.ensure_future(Sweeper(Target(database.url), stop, log).run())
    await eventually(lambda: _has_logged(log_lines, '"source_id": 1', '"sqlstate": "42703"', '"event": "source_failed"'))
    stop.request()
    await sweeping

    assert await count(connection, "pgmend.express_events where source_id = 2") == 1
    assert await connection.fetchval("select array_agg(source_id) from pgmend.user_counts") == [2]
    assert '"event": "sweep_failed"' in log_lines.getvalue()


async def _has_logged(log_lines: StringIO, *parts: str) -> bool:
    return any(all(part in line for part in parts) for line in log_lines.getvalue().splitlines())


async def test_each_source_has_the_time_that_was_named_for_it(connection: Connection, log: Log) -> None:
    """Many sources take longer than one: a worker that gets on with them is not taken for one that hangs."""
    await connection.execute(OTHER)
    heard: list[str] = []
    pulse = Pulse(now=lambda: float(len(heard)))
    pulse.expect(60, "counts")
    heard += ["before", "the", "count"]
    await sweep(connection, log, most=10, pulse=pulse)
    swept = pulse.due
    heard.append("sweep")
    await count_integrity(connection, pulse)

    assert (swept, pulse.due) == (68, 69)


async def test_broken_source_is_known_soon_where_sweeps_are_rare(database: Database, log: Log, log_lines: StringIO) -> None:
    """Counting a hundred million users is for every hour; whether they can be judged at all is for every minute."""
    connection = await database.connect()
    stop = Stop()
    sweeper = Sweeper(Target(database.url), stop, log, interval=3600, look_interval=0.05)
    sweeping = asyncio.ensure_future(sweeper.run())
    await eventually(lambda: _has_logged(log_lines, '"event": "sweep_finished"'))
    await connection.execute(CONDITION)
    await eventually(lambda: failure(connection))
    await connection.execute("alter table public.users rename column removed_at to deleted_at")
    await eventually(lambda: _works(connection))
    stop.request()
    await sweeping

    assert log_lines.getvalue().count("sweep_finished") == 1


async def _works(connection: Connection) -> bool:
    return await failure(connection) is None


async def test_events_that_come_back_again_and_again_make_a_source_fail(connection: Connection, path: Path) -> None:
    """With what no user's values are the reason of; and how many of them there are is kept."""
    await sign_up(connection)
    await sign_up(connection)
    await connection.execute(CONDITION)
    await turn(path)
    await connection.execute(f"alter table public.users rename column removed_at to deleted_at;{FAR_OFF}")
    await count_integrity(connection)
    kept = await failure(connection)

    assert kept is not None
    assert (kept["sqlstate"], kept["message"], kept["events"]) == ("42883", "gone", 2)


@pytest.mark.parametrize("sqlstate", ["40001", "21000", "22012", "23503", "P0001", "PM001", "PM008", "AB123"])
async def test_events_that_wait_for_a_reason_of_their_own_say_nothing_against_the_source(
    connection: Connection, path: Path, sqlstate: str
) -> None:
    """A lock, a value, a row that is missing, a user who is not there yet."""
    await sign_up(connection)
    await connection.execute(CONDITION)
    await turn(path)
    await connection.execute(f"alter table public.users rename column removed_at to deleted_at;{FAR_OFF}")
    await connection.execute("update pgmend.careful_events set last_failure = jsonb_build_object('sqlstate', $1::text)", sqlstate)

    assert await count_integrity(connection) == {}


async def test_conditions_that_choke_on_one_user_are_no_failure_of_the_source(connection: Connection) -> None:
    """That user becomes a dead letter; everybody else is healed."""
    await connection.execute(
        "select pgmend.attach_source('public.users', 'public.profiles', '{}', eligible_when => '1 / length(users.email) > -1')"
    )
    await sign_up(connection, "")

    assert await count_integrity(connection) == {}


CHOKES_ON_ADA = """
    create table public.plans (email text);
    insert into public.plans values ('ada@x'), ('ada@x'), ('bob@x');
    create function public.is_welcome(wanted text) returns boolean language plpgsql as $$
    begin
        if wanted = 'ada@x' then raise exception 'who is that?' using errcode = 'AB123'; end if;
        return true;
    end $$;
    select pgmend.attach_source('public.users', 'public.profiles', recipe, eligible_when => '%s') from pgmend.profile_sources
"""
TWO_ROWS = CHOKES_ON_ADA % "(select true from public.plans where plans.email = users.email)"
A_STATE_OF_ITS_OWN = CHOKES_ON_ADA % "public.is_welcome(users.email)"


@pytest.mark.parametrize("chokes", [TWO_ROWS, A_STATE_OF_ITS_OWN])
async def test_one_user_whom_the_conditions_choke_on_stops_no_sweep(
    connection: Connection, path: Path, log: Log, chokes: str
) -> None:
    """A sub-select that finds two rows for them, a SQLSTATE of the application's own: others are healed, the source works."""
    await connection.execute(chokes)
    await connection.execute("alter table public.users disable trigger user")
    await sign_up(connection, "ada@x")
    await sign_up(connection, "bob@x")
    failing = await count_integrity(connection)
    await sweep(connection, log, most=10)
    await turn(path)
    await careful(path)
    await connection.execute("update pgmend.careful_events set attempts = 5")

    assert failing == await count_integrity(connection) == {}
    assert await count(connection, "public.profiles") == 1


async def test_condition_that_raises_for_everybody_is_refused_whatever_the_first_of_them_raises(connection: Connection) -> None:
    """One user's own value hides no function that is gone for all the others."""
    await connection.execute(
        "create function public.f(text) returns boolean language plpgsql as "
        "$$ begin perform 1 / length($1); return exists (select from public.gone); end $$;"
        "select pgmend.attach_source('public.users', 'public.profiles', '{}', eligible_when => 'public.f(users.email)')"
    )
    await connection.execute("alter table public.users disable trigger user")
    await sign_up(connection, "")
    await sign_up(connection, "bob@x")
    (refused,) = await refused_conditions(connection, 1)

    assert (refused.name, refused.failure.sqlstate) == ("eligible_when", "42P01")


async def test_look_holds_up_no_sweep_and_no_count_and_they_hold_up_no_look(database: Database, log: Log) -> None:
    """A worker that only looks costs no other its sweep, nor a long count the looks; of two looks one is enough."""
    connection, looking, counting = [await database.connect() for _ in range(3)]
    await connection.execute(CONDITION)
    meters = Meters()
    async with looking.transaction():
        assert await lock_look(looking)
        assert await examine(connection) == {}
        assert set(await count_integrity(connection)) == {1}
        await sweep(connection, log, most=10, meters=meters)
    async with counting.transaction():
        assert await lock_sweep(counting)
        assert set(await examine(connection)) == {1}

    assert meters.sweeps.values[("left_to_another",)] == 0


async def test_of_a_message_that_never_ends_a_line_is_kept(connection: Connection) -> None:
    """Whatever a function raises stands in a probe and an alert: its first line, and of that what can be read."""
    await connection.execute(
        "create function public.f() returns boolean language plpgsql as $$ begin"
        "   raise exception e'%\nkey=secret', repeat('x', 5000) using errcode = 'XX000';"
        " end $$;"
        "select pgmend.attach_source('public.users', 'public.profiles', '{}', eligible_when => 'public.f()')"
    )
    await sign_up(connection)
    failing = await count_integrity(connection)

    assert failing[1].failure.message == "eligible_when (public.f()): " + "x" * 300


async def test_source_that_works_again_fails_no_longer(connection: Connection) -> None:
    """The next count says so."""
    await connection.execute(CONDITION)
    await count_integrity(connection)
    failed = await failure(connection)
    await connection.execute("alter table public.users rename column removed_at to deleted_at")
    await count_integrity(connection)

    assert failed is not None
    assert await failure(connection) is None


async def test_attaching_again_ends_the_failure_and_makes_what_waits_due_at_once(connection: Connection, path: Path) -> None:
    """Nobody waits out a back-off whose reason is gone, and the back-off begins anew."""
    await sign_up(connection)
    await connection.execute(CONDITION)
    await turn(path)
    await connection.execute(FAR_OFF)
    await count_integrity(connection)
    waited = await count(connection, WAITING)
    await connection.execute(ATTACHED_AGAIN)
    attempts = await connection.fetchval("select attempts from pgmend.careful_events")
    await turn(path)

    assert (waited, attempts) == (1, 1)
    assert await failure(connection) is None
    assert await count(connection, "public.profiles") == 1


async def test_events_that_waited_for_a_mended_source_are_healed(connection: Connection, path: Path) -> None:
    """Also where nobody attaches or resumes: what the source once raised is no evidence against its users."""
    await sign_up(connection)
    await connection.execute(CONDITION)
    await turn(path)
    await connection.execute("alter table public.users rename column removed_at to deleted_at")
    waited = await connection.fetchval("select last_failure ->> 'sqlstate' from pgmend.careful_events")
    await connection.execute("update pgmend.careful_events set available_at = now()")
    await turn(path)

    assert waited == "42703"
    assert await count(connection, "public.profiles") == 1


async def test_events_of_another_source_are_left_to_their_time(connection: Connection, path: Path) -> None:
    """Only what the source that was attached has to do with is due."""
    await sign_up(connection)
    await connection.execute(CONDITION)
    await turn(path)
    await connection.execute(f"{FAR_OFF}; {OTHER}")

    assert await connection.fetchval("select pgmend.make_events_due(2)") == 0
    assert await count(connection, WAITING) == 1


async def test_event_that_a_worker_holds_is_waited_for_and_made_due(database: Database, path: Path) -> None:
    """It is given back with a failure of before, and must not wait it out."""
    connection, other, watcher = [await database.connect() for _ in range(3)]
    await sign_up(connection)
    await connection.execute(CONDITION)
    await turn(path)
    await connection.execute("update pgmend.careful_events set attempts = 5, available_at = now()")
    async with connection.transaction():
        await connection.execute(FAR_OFF)
        making = asyncio.ensure_future(other.fetchval("select pgmend.make_events_due(1)"))
        await eventually(lambda: _waits(watcher))

    assert await making == 1
    assert await count(connection, WAITING) == 0


async def test_whoever_makes_events_due_waits_for_no_lock_long(database: Database, path: Path) -> None:
    """Before the server looks for a deadlock it has given up: the application is never the victim."""
    connection, other = [await database.connect() for _ in range(2)]
    await sign_up(connection)
    await connection.execute(CONDITION)
    await turn(path)
    async with connection.transaction():
        await connection.execute(FAR_OFF)
        with pytest.raises(asyncpg.LockNotAvailableError):
            await other.fetchval("select pgmend.make_events_due(1)")

    assert await pauses.make_due(other, None) == {1: 1}


async def _waits(watcher: Connection) -> bool:
    return await count(watcher, "pg_locks where not granted") > 0


async def test_sweep_that_finds_a_source_broken_says_so_in_the_meters(connection: Connection, log: Log) -> None:
    """Beside finished sweeps there are failed ones."""
    meters = Meters()
    await connection.execute(CONDITION)
    await sweep(connection, log, most=10, meters=meters)

    assert meters.sweeps.values[("failed",)] == 1
    assert meters.errors.values[("42",)] == 1


async def test_careful_lane_gives_the_events_of_a_broken_source_back(connection: Connection, path: Path) -> None:
    """None is lost or set aside at once: they wait for the person who mends the source."""
    await sign_up(connection)
    await connection.execute(CONDITION)
    await turn(path)
    await careful(path)

    assert await count(connection, "pgmend.careful_events") == 1
    assert await count(connection, "pgmend.dead_letters") == 0
