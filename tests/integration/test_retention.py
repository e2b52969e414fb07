"""Retention: what goes with time, what goes at once, what stays, and who may do it."""

import json
from dataclasses import asdict
from io import StringIO

import pytest

from tests.integration.conftest import LogIn, MakeRole
from tests.integration.test_requeue import two_dead_letters
from tests.support.database import Database, count, sign_up
from tests.support.process import run_command
from tests.support.workload import park_order, report_order
from worker import pipeline
from worker.core.retention import Keeping, Pruned
from worker.log import Log
from worker.pipeline import Path
from worker.pruning import Pruning
from worker.store.connection import Connection
from worker.sweeping import prune

KEPT = Keeping(captured_rows=0, dead_letters=0, audit_entries=0)
REPORTS = "select pgmend.report_failed_insert('public.orders', jsonb_build_object('user_id', id, 'amount', 1)) from public.users"
ENTRIES = """
    insert into public.error_logs (error_type, severity, message, created_at)
    select type, 'info', type, now() - age
    from unnest(array['INSERT_REPLAYED', 'ORPHANED_ORDER_DETECTED', 'CONVERSATION_RETRIED', 'PAYMENT_FAILED']) as type
    cross join unnest(array[interval '400 days', interval '300 days']) as age
"""


@pytest.fixture
async def lent_worker(make_role: MakeRole, log_in: LogIn) -> Connection:
    """A session of a login that belongs to pgmend_worker and to nobody else."""
    await make_role("lent_worker", "login in role pgmend_worker")
    return await log_in("lent_worker")


async def test_captured_rows_that_nobody_settled_in_time_are_let_go_and_audited(connection: Connection, path: Path) -> None:
    """Waiting or dead, they go after so many days; sign-ups and younger rows stay."""
    poisoned = await sign_up(connection, name="x" * 121)
    dead = await report_order(connection, poisoned)
    await pipeline.turn(path)
    waiting = await report_order(connection, poisoned)
    for table in ("careful_events", "dead_letters"):
        await connection.execute(f"update pgmend.{table} set created_at = created_at - interval '31 days'")
    young = await report_order(connection, poisoned)

    assert await Pruning(Keeping()).prune(connection) == Pruned(captured_rows=2)

    audited = await connection.fetch(
        "select event_id from public.error_logs where error_type = 'CAPTURED_ROW_EXPIRED' order by 1"
    )
    assert [row["event_id"] for row in audited] == [dead, waiting]
    assert await connection.fetchval("select array_agg(event_id) from pgmend.outbox where kind = 'insert_failed'") == [young]
    assert await count(connection, "pgmend.dead_letters where kind = 'user_created'") == 1


async def test_days_of_a_captured_row_count_from_the_capture(connection: Connection, path: Path) -> None:
    """Set aside late, or requeued and set aside again, it is kept no longer: it is personal from the first day on."""
    await report_order(connection, await sign_up(connection, name="x" * 121))
    await connection.execute("update pgmend.careful_events set created_at = created_at - interval '31 days'")
    await pipeline.turn(path)
    await connection.execute("select pgmend.requeue(array(select event_id from pgmend.dead_letters))")
    await pipeline.turn(path)
    lying = await count(connection, "pgmend.dead_letters where kind = 'insert_failed'")

    pruned = await Pruning(Keeping()).prune(connection)

    assert (lying, pruned) == (1, Pruned(captured_rows=1))


async def test_dead_letters_are_kept_unless_a_setting_says_otherwise(connection: Connection, path: Path) -> None:
    """By default for ever; with a number of days each leaves an entry, and its user is tried again by the next sweep."""
    await sign_up(connection, name="x" * 121)
    await pipeline.turn(path)
    await connection.execute("update pgmend.dead_letters set dead_at = dead_at - interval '100 days'")

    kept = await Pruning(Keeping()).prune(connection)
    gone = await Pruning(Keeping(dead_letters=99)).prune(connection)

    assert (kept.rows, gone) == (0, Pruned(dead_letters=1))
    assert await count(connection, "public.error_logs where error_type = 'DEAD_LETTER_EXPIRED' and sqlstate = '23514'") == 1
    assert await connection.fetchval("select pgmend.sweep_users(1, 10)") == 1


async def test_audit_entries_of_ours_go_with_time_and_nobody_elses(connection: Connection) -> None:
    """The table may hold entries of the application: those stay, however old; names that guards have given go with ours."""
    await connection.execute(ENTRIES)

    pruned = await Pruning(Keeping()).prune(connection)

    left = await connection.fetch("select error_type from public.error_logs where created_at < now() - interval '365 days'")
    assert pruned == Pruned(audit_entries=3)
    assert [row[0] for row in left] == ["PAYMENT_FAILED"]
    assert await count(connection, "public.error_logs") == 5


async def test_what_is_pruned_goes_in_batches_and_stops_when_time_is_up(connection: Connection) -> None:
    """A year of entries locks nothing for long: what is left is told, and goes the next time."""
    await connection.execute(ENTRIES)
    hurried = Pruning(Keeping(), most=2, seconds=0)

    first, second = await hurried.prune(connection), await hurried.prune(connection)

    assert (first, second) == (Pruned(audit_entries=2, is_more=True), Pruned(audit_entries=1))


async def test_one_worker_prunes_at_a_time(connection: Connection, database: Database) -> None:
    """While another holds the lock nothing is done, and nobody waits; that it is so is said."""
    await connection.execute(ENTRIES)
    other = await database.connect()
    async with other.transaction():
        await other.execute("select pg_advisory_xact_lock(hashtextextended('pgmend.retention', 0))")

        pruned = await Pruning(Keeping()).prune(connection)
        _, said, _ = await run_command(database.url, "prune")

    assert pruned == Pruned(left_to_another=True)
    assert said.endswith("; another session prunes, and the rest was left to it\n")
    assert (await Pruning(Keeping()).prune(connection)).rows == 3


@pytest.mark.parametrize(
    "erasure", ["update public.users set deleted_at = now()", "delete from public.users"], ids=["marked", "deleted"]
)
async def test_what_is_kept_of_an_erased_user_goes_at_once(connection: Connection, path: Path, erasure: str) -> None:
    """Dead letters and rows that wait, of a paused source as well; the entries that say so carry no value of a row."""
    key = await two_dead_letters(connection, path)
    await connection.execute("select pgmend.pause_source(1, 'a person looks')")
    await report_order(connection, key)
    await connection.execute(erasure)

    assert await Pruning(KEPT).prune(connection) == Pruned(erased=3)

    assert await count(connection, "pgmend.dead_letters") + await count(connection, "pgmend.outbox") == 0
    entries = await connection.fetch(
        "select error_type, details::text || message as said from public.error_logs where error_type like 'ERASED%'"
    )
    assert sorted(row["error_type"] for row in entries) == ["ERASED_USER_DEAD_LETTER_DROPPED"] * 2 + ["ERASED_USER_EVENT_DROPPED"]
    assert not any("amount" in row["said"] for row in entries)
    assert await count(connection, "public.profiles") == 0


@pytest.mark.parametrize(("users", "are_kept"), [(101, True), (100, False)])
async def test_users_who_vanish_in_a_crowd_are_kept_until_a_person_has_looked(
    connection: Connection, users: int, *, are_kept: bool
) -> None:
    """A users table that was emptied, by accident perhaps, drops nothing: the source is paused, and a resume decides."""
    await connection.execute("insert into public.users (email) select 'u' || n from generate_series(1, $1) as n", users)
    await connection.execute(REPORTS)
    await connection.execute("delete from public.users")

    assert await Pruning(KEPT).prune(connection) == (Pruned() if are_kept else Pruned(erased=users))
    assert await count(connection, "pgmend.profile_sources where paused_because ~ 'have vanished'") == int(are_kept)

    await connection.execute("select pgmend.resume_source(1)")
    await Pruning(KEPT).prune(connection)
    assert await count(connection, "pgmend.careful_events where kind = 'insert_failed'") == 0
    assert await count(connection, "pgmend.profile_sources where paused_at is not null") == 0


async def test_users_who_are_marked_as_erased_in_a_crowd_are_let_go_at_once(connection: Connection) -> None:
    """Who says so has decided: their personal data waits for nobody."""
    await connection.execute("insert into public.users (email) select 'u' || n from generate_series(1, 200) as n")
    await connection.execute(REPORTS)
    await connection.execute("update public.users set deleted_at = now()")

    assert await Pruning(KEPT).prune(connection) == Pruned(erased=200)


async def test_what_is_kept_of_others_stays(connection: Connection, path: Path) -> None:
    """Of users who are there, and of those whom nobody ever knew: they may still sign up."""
    await two_dead_letters(connection, path)
    await connection.execute("update pgmend.guarded_constraints set unknown_user_grace = interval '0'")
    await report_order(connection, "00000000-0000-0000-0000-000000000001")
    await pipeline.turn(path)

    assert await Pruning(KEPT).prune(connection) == Pruned()
    assert await count(connection, "pgmend.dead_letters") == 3


async def test_user_whom_the_conditions_choke_on_hides_no_other(connection: Connection, path: Path) -> None:
    """Of that one nothing is said, and nothing dropped; the erased ones beside go all the same."""
    for name in ("ada", "bad", "eve"):
        await park_order(connection, await sign_up(connection, f"{name}@x", name="x" * 121))
    await pipeline.turn(path)
    await connection.execute("update public.users set deleted_at = now()")
    await connection.execute(
        "select pgmend.attach_source('public.users', 'public.profiles', (select recipe from pgmend.profile_sources), "
        "eligible_when => 'case email when ''bad@x'' then 1 / (length(email) - 5) > 0 else true end', "
        "erased_when => 'deleted_at is not null and 1 / (length(email) - case email when ''bad@x'' then 5 else 0 end) >= 0')"
    )

    pruned = await Pruning(KEPT).prune(connection)

    assert pruned == Pruned(erased=4)
    assert await count(connection, "pgmend.dead_letters") == 2


async def test_member_of_pgmend_worker_prunes(path: Path, lent_worker: Connection, log: Log, log_lines: StringIO) -> None:
    """Its own right on the audit is to read and to write entries; what goes, goes by functions, and is logged."""
    connection = path.connection
    await connection.execute(ENTRIES)
    await two_dead_letters(connection, path)
    await connection.execute(
        "update pgmend.dead_letters set dead_at = dead_at - interval '100 days', created_at = created_at - interval '100 days'"
    )

    await prune(lent_worker, log, Pruning(Keeping(dead_letters=30)))

    said = [json.loads(line) for line in log_lines.getvalue().splitlines()]
    (finished,) = [line for line in said if line["event"] == "pruning_finished"]
    assert {name: finished[name] for name in asdict(Pruned())} == asdict(Pruned(1, 1, 3))
    assert {line["event"] for line in said} >= {"captured_rows_expired", "dead_letters_expired"}
