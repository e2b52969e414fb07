"""The commands of whoever is on call, as real processes: what they print, what they change, how they end."""

import asyncio
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
from typing import Any

import pytest

from tests.conftest import StartWorker
from tests.integration.conftest import make_role  # noqa: F401 - a fixture
from tests.integration.test_requeue import two_dead_letters
from tests.support.database import Database, count, sign_up
from tests.support.process import COMMAND, environment, run_command
from tests.support.workload import park_order
from worker import pipeline
from worker.embedded import Cluster
from worker.pipeline import Path
from worker.store.connection import Connection

MakeRole = Any

HEALED_TWICE = """
    select count(*) from (
        select from public.error_logs where error_type = 'MISSING_PROFILE_CREATED' group by user_id having count(*) > 1
    ) as twice
"""
READS_ORDERS = "select has_table_privilege('on_call', 'public.orders', 'select, insert, update, delete')"
COMPLETED = r"""
COMP_WORDS=(pgmend dead-letters requ); COMP_CWORD=2
$(complete -p pgmend | sed 's/.*-F \([^ ]*\).*/\1/') pgmend requ
echo "${COMPREPLY[@]}"
"""


@pytest.fixture
async def letters(connection: Connection, path: Path) -> str:
    """The address of a database with two dead letters, of a sign-up and of an order, both of one user."""
    await two_dead_letters(connection, path)
    url: str = await connection.fetchval("select user_key from pgmend.dead_letters limit 1")
    return url


async def test_status_prints_what_sql_counts(database: Database, connection: Connection, path: Path) -> None:
    """Text and JSON from the same look; nothing is counted twice or left out."""
    await two_dead_letters(connection, path)
    await park_order(connection, await sign_up(connection, "eve@x"))

    status, text, _ = await run_command(database.url, "status")
    _, as_json, _ = await run_command(database.url, "status", "--json")

    assert status == 0
    assert "2 events (1 express, 1 careful)" in text
    assert "dead letters  2 needs_recipe" in text
    found = json.loads(as_json)
    assert (found["backlog"]["express"], found["letters"][0]["letters"], len(found["minutes"])) == (1, 2, 60)


@pytest.mark.parametrize("flags", [(), ("--json",)], ids=["text", "json"])
async def test_status_is_watched_until_the_first_interrupt(database: Database, flags: tuple[str, ...]) -> None:
    """Where there is no terminal each look is one line; Ctrl-C is how one ends it, and no error."""
    watching = await asyncio.create_subprocess_exec(
        *(*COMMAND, "status", "--watch", "--every-seconds", "0.01", *flags),
        env=environment(database.url),
        stdout=asyncio.subprocess.PIPE,
    )
    assert watching.stdout is not None
    seen = [await asyncio.wait_for(watching.stdout.readline(), 20) for _ in range(3)]
    watching.send_signal(signal.SIGINT)
    async with asyncio.timeout(20):
        _, status = await asyncio.gather(watching.stdout.read(), watching.wait())

    assert all(b"overdue" in line for line in seen)
    assert status == 0


async def test_status_is_drawn_in_place_on_a_terminal(database: Database) -> None:
    """A real terminal gets the whole picture again and again."""
    shown = await in_a_terminal(database.url, "status", "--watch", "--every-seconds", "0.01", until="worker")

    assert "outbox" in shown
    assert "\x1b[" in shown


async def test_events_are_listed_and_their_story_is_told(database: Database, connection: Connection) -> None:
    """A person finds an event by user and table; what the row holds is printed only when it is asked for."""
    key = await sign_up(connection)
    await park_order(connection, key)
    event_id = await connection.fetchval("select event_id from pgmend.outbox where kind = 'insert_failed'")

    _, listed, _ = await run_command(database.url, "events", "list", "--user", key, "--table", "orders", "--json")
    _, story, _ = await run_command(database.url, "events", "show", str(event_id))
    _, whole, _ = await run_command(database.url, "events", "show", str(event_id), "--payload")
    status, _, err = await run_command(database.url, "events", "show", "4711")

    assert [event["event_id"] for event in json.loads(listed)["events"]] == [event_id]
    assert "FOREIGN_KEY_VIOLATION_CAPTURED" in story
    assert ("amount" in story, "amount" in whole) == (False, True)
    assert (status, "pgmend events list" in err) == (45, True)


async def test_list_says_that_there_is_more_and_how_to_turn_the_page(database: Database, connection: Connection) -> None:
    """The page ends with the option that brings the next one."""
    for number in range(3):
        await sign_up(connection, f"{number}@x")

    _, first, _ = await run_command(database.url, "events", "list", "--limit", "2")
    before = first.rpartition("--before ")[2].strip()
    _, second, _ = await run_command(database.url, "events", "list", "--limit", "2", "--before", before)

    assert (len(first.splitlines()), len(second.splitlines())) == (4, 2)


async def test_requeue_of_what_a_mended_constraint_has_kept(database: Database, connection: Connection, path: Path) -> None:
    """Tried first, which exits 3 and names the constraint; then mended, tried, sent back, and healed by the worker's path."""
    await two_dead_letters(connection, path)
    requeue = ("dead-letters", "requeue", "--constraint", "profiles_name_is_short")

    refused, said, _ = await run_command(database.url, *requeue, "--dry-run")
    await connection.execute("alter table public.profiles drop constraint profiles_name_is_short")
    clear, _, _ = await run_command(database.url, *requeue, "--dry-run")
    lying = await count(connection, "pgmend.dead_letters")
    done, answer, _ = await run_command(database.url, *requeue, "--json")
    await pipeline.turn(path)

    assert (refused, clear, lying, done, json.loads(answer)) == (3, 0, 2, 0, {"requeued": 2})
    assert "SQLSTATE 23514, constraint profiles_name_is_short" in said
    assert await count(connection, "public.orders") == 1


@pytest.mark.parametrize(
    ("costs", "sqlstate"),
    [
        ("execute 'prepare ' || quote_ident('s' || new.id) || ' as select 1'; deallocate all", "PM010"),
        ("perform pg_terminate_backend(pg_backend_pid())", "PM013"),
    ],
)
async def test_rehearsals_go_on_after_one_that_cost_a_session(
    database: Database, connection: Connection, path: Path, costs: str, sqlstate: str
) -> None:
    """A replay that touches the session, or ends it, is named as such; the letters after it are tried all the same."""
    await two_dead_letters(connection, path)
    await connection.execute(
        f"""
        alter table public.profiles drop constraint profiles_name_is_short;
        create function public.seize() returns trigger language plpgsql as
        $$ begin {costs}; return new; end $$;
        create trigger seize before insert on public.orders for each row execute function public.seize();
        insert into pgmend.dead_letters select (jsonb_populate_record(l, jsonb_build_object('event_id', 900))).*
        from pgmend.dead_letters as l where kind = 'user_created'
        """
    )

    status, out, _ = await run_command(database.url, "dead-letters", "requeue", "--all", "--dry-run", "--json")

    assert status == 3
    found = {line["event_id"]: line["failure"] for line in map(json.loads, out.splitlines())}
    assert [failure["sqlstate"] if failure else None for _, failure in sorted(found.items())] == [None, sqlstate, None]


async def test_discard_prints_what_goes_before_it_is_gone(database: Database, connection: Connection, letters: str) -> None:
    """Row and reason as JSON, the audit names who did it; and what is only looked at stays, without its payload."""
    _, looked, _ = await run_command(database.url, "dead-letters", "discard", "--user", letters, "--dry-run")
    lying = await count(connection, "pgmend.dead_letters")
    status, out, err = await run_command(database.url, "dead-letters", "discard", "--user", letters, "--yes")

    gone = [json.loads(line) for line in out.splitlines()]
    assert (status, lying, err.splitlines()[0]) == (0, 2, "discarded 2")
    assert [it["payload"] and it["payload"]["row"]["amount"] for it in gone] == [None, "10.00"]
    assert all(json.loads(line)["payload"] is None for line in looked.splitlines())
    assert await count(connection, "public.error_logs where error_type = 'DEAD_LETTER_DISCARDED'") == 2


async def test_discard_of_a_sign_up_says_that_it_comes_back_and_what_to_do(
    database: Database, connection: Connection, letters: str
) -> None:
    """And so it is: the sweep passes over a user whose letter lies there, and announces one whose letter was discarded."""
    passed_over = await connection.fetchval("select pgmend.sweep_users(1, 10)")
    _, _, would = await run_command(database.url, "dead-letters", "discard", "--user", letters, "--dry-run")
    _, _, said = await run_command(database.url, "dead-letters", "discard", "--user", letters, "--yes")

    assert "1 of them a sign-up, which comes back with the next sweep" in would
    assert "1 of them a sign-up, which comes back with the next sweep" in said
    assert "leave the letter where it lies" in said
    assert (passed_over, await connection.fetchval("select pgmend.sweep_users(1, 10)")) == (0, 1)


MISTYPED = [
    (["prune", "--batch-size", "0"], 2, "must be from 1"),
    (["prune", "--batch-size", "-1"], 2, "must be from 1"),
    (["heal", "--all", "--batch-size", "0"], 2, "must be from 1"),
    (["heal", "--all", "--batch-size", "many"], 2, "'many' is no whole number"),
    (["heal", "--all", "--after", "zzz"], 47, "keys of users are uuid"),
    (["events", "list", "--limit", "0"], 2, "must be from 1"),
    (["events", "list", "--limit", "99999999999"], 2, "must be from 1"),
    (["events", "list", "--table", "public.nope"], 30, "there is no table public.nope"),
    (["events", "show", "9223372036854775808"], 2, "must be from 1"),
    (["dead-letters", "list", "--limit", "0"], 2, "must be from 1"),
    (["dead-letters", "list", "--verdict", "nonsense"], 2, "invalid choice: 'nonsense'"),
    (["dead-letters", "requeue", "--verdict", "nonsense"], 2, "invalid choice: 'nonsense'"),
    (["dead-letters", "discard", "9223372036854775808", "--yes"], 2, "must be from 1"),
]


@pytest.mark.parametrize(("words", "status", "said"), MISTYPED, ids=[" ".join(words) for words, *_ in MISTYPED])
async def test_mistyped_word_is_refused_and_not_taken_for_nothing(
    database: Database, words: list[str], status: int, said: str
) -> None:
    """A value that can fit nothing is no empty list, and none of it is left to the database to stumble over."""
    ended, out, err = await run_command(database.url, *words)

    assert (ended, out) == (status, "")
    assert said in err
    assert "Traceback" not in err


async def test_requeue_of_nothing_says_that_nothing_fits(database: Database) -> None:
    """A constraint may be gone since, so its name is taken as it is; but nobody takes 0 for a success. A table may be empty."""
    _, requeued, _ = await run_command(database.url, "dead-letters", "requeue", "--constraint", "nope")
    _, _, discarded = await run_command(database.url, "dead-letters", "discard", "--constraint", "nope", "--yes")
    status, listed, _ = await run_command(database.url, "events", "list", "--table", "public.orders")

    assert (requeued, discarded) == ("requeued 0: no dead letter fits\n", "discarded 0: no dead letter fits\n")
    assert (status, listed) == (0, "no event waits that fits\n")


async def test_discard_without_a_word_changes_nothing(database: Database, connection: Connection, letters: str) -> None:
    """More than one, or nobody to ask, takes --yes; no selection at all is a usage error."""
    (one, _) = [row[0] for row in await connection.fetch("select event_id::text from pgmend.dead_letters")]
    many = await run_command(database.url, "dead-letters", "discard", "--user", letters)
    alone = await run_command(database.url, "dead-letters", "discard", one)
    nothing = await run_command(database.url, "dead-letters", "discard")
    absent = await run_command(database.url, "dead-letters", "discard", "4711", "--yes")

    assert [it[0] for it in (many, alone, nothing, absent)] == [46, 46, 2, 45]
    assert await count(connection, "pgmend.dead_letters") == 2


@pytest.mark.parametrize(("answer", "left"), [("y\n", 1), ("\n", 2)], ids=["yes", "no"])
async def test_discard_of_one_asks_on_a_terminal(
    database: Database, connection: Connection, letters: str, answer: str, left: int
) -> None:
    """A person at a terminal is asked, and silence is no."""
    event = await connection.fetchval("select max(event_id)::text from pgmend.dead_letters where user_key = $1", letters)

    shown = await in_a_terminal(database.url, "dead-letters", "discard", event, until="[y/N]", answer=answer)

    assert "its captured row of orders" in shown
    assert await count(connection, "pgmend.dead_letters") == left


async def test_explain_exits_3_while_something_is_missing(database: Database, connection: Connection, path: Path) -> None:
    """A person sees why, and a script sees that."""
    key = await two_dead_letters(connection, path)
    whole = await sign_up(connection, "whole@x")
    await pipeline.turn(path)

    missing, text, _ = await run_command(database.url, "explain", key)
    fine, answer, _ = await run_command(database.url, "explain", whole, "--json")

    assert (missing, fine) == (3, 0)
    assert "needs_recipe: the user is there and eligible, and there is no profile" in text
    assert "SQLSTATE 23514, constraint profiles_name_is_short" in text
    assert json.loads(answer)["sources"][0]["verdict"] == "already_whole"


async def test_heal_makes_one_profile_or_says_why_not(database: Database, connection: Connection) -> None:
    """Healed and audited; tried only; refused, paused, unknown: each with its exit status."""
    key, long = await sign_up(connection), await sign_up(connection, "long@x", name="x" * 121)
    outcomes = [await run_command(database.url, "heal", *words) for words in ((key, "--dry-run"), (key,), (key,), (long,))]
    unknown = await run_command(database.url, "heal", "00000000-0000-0000-0000-000000000001")
    no_key = await run_command(database.url, "heal", "ada@example.org")
    await connection.execute("select pgmend.pause_source(1, 'a person looks')")
    paused = await run_command(database.url, "heal", long)

    assert [it[0] for it in (*outcomes, unknown, no_key, paused)] == [0, 0, 0, 48, 47, 47, 44]
    assert "keys of users are uuid, and this is none" in no_key[2]
    assert [it[1].rpartition(": ")[2].strip() for it in outcomes[:3]] == [
        "the profile would be made",
        "the profile was made",
        "the profile is there",
    ]
    assert await count(connection, "public.error_logs where user_id = $1 and details ->> 'lane' = 'backfill'", key) == 1


@pytest.mark.parametrize("words", [(), ("--dry-run",)], ids=["done", "tried"])
async def test_heal_all_names_the_unique_key_that_keeps_a_user_without_profile(
    database: Database, connection: Connection, words: tuple[str, ...]
) -> None:
    """Nobody whom it leaves without a profile goes untold, and the exit status is that of a refusal."""
    await connection.execute("alter table public.profiles add constraint profiles_name_is_free unique (name)")
    keys = [await sign_up(connection, f"{number}@x", name="ada") for number in range(2)]

    status, said, err = await run_command(database.url, "heal", "--all", *words)
    _, answer, _ = await run_command(database.url, "heal", "--all", "--json", *words)

    assert (status, json.loads(answer)["sources"][0]["refused"], len(keys)) == (48, 1, 2)
    assert "1 refused" in said
    assert "1 by profiles_name_is_free, 23505" in said
    assert "the database refuses 1 profile ->" in err


async def test_heal_all_points_to_the_log_where_a_trigger_raises(database: Database, connection: Connection) -> None:
    """There is no constraint to name, and what the trigger says is not ours to print."""
    await connection.execute(
        "create function public.ask() returns trigger language plpgsql as $$ begin raise exception 'billing says no'; end $$;"
        "create trigger ask before insert on public.profiles for each row execute function public.ask()"
    )
    await sign_up(connection)

    status, said, err = await run_command(database.url, "heal", "--all")

    assert (status, "billing" in said + err) == (48, False)
    assert "1 by a trigger or function, whose words the server's log has, P0001" in said


async def test_heal_all_beside_a_worker_heals_everybody_once(
    database: Database, connection: Connection, start: StartWorker
) -> None:
    """Both at work on the same users: each profile is made and audited once, and an erased user stays erased."""
    await connection.execute(
        "set session_replication_role = replica; insert into public.users (email, deleted_at) "
        "select n || '@x', case when n % 10 = 0 then now() end from generate_series(1, 500) as n; reset session_replication_role"
    )
    worker = await start(sweep_interval_seconds=0.01, sweep_batch_size=50)
    healed = await run_command(database.url, "heal", "--all", "--batch-size", "20", "--json")
    await worker.logged("sweep_finished", users_without_profile=0)

    assert healed[0] == 0
    assert await count(connection, "public.profiles") == 450
    assert await connection.fetchval(HEALED_TWICE) == 0


async def test_prune_says_what_would_go_and_lets_it_go(database: Database, connection: Connection) -> None:
    """By the settings of the worker; the dry run changes nothing."""
    await connection.execute(
        "insert into public.error_logs (error_type, severity, message, created_at) "
        "select 'INSERT_REPLAYED', 'info', '', now() - interval '20 days' from generate_series(1, 7)"
    )
    _, would, _ = await run_command(database.url, "prune", "--dry-run", keep_audit_entries_days=10)
    left = await count(connection, "public.error_logs")
    _, went, _ = await run_command(database.url, "prune", "--batch-size", "2", "--json", keep_audit_entries_days=10)

    assert (would.startswith("would go: 0 captured rows, 0 dead letters, 7 audit entries"), left) == (True, 7)
    nothing = {"captured_rows": 0, "dead_letters": 0, "erased": 0, "is_more": False, "left_to_another": False}
    assert json.loads(went) == nothing | {"audit_entries": 7}


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion_is_a_script_of_that_shell(shell: str) -> None:
    """It names the commands and their actions, and the shell takes it."""
    script = subprocess.run([*COMMAND, "completion", shell], check=True, capture_output=True, text=True).stdout

    assert all(name in script for name in ("dead-letters", "requeue", "--dry-run", "completion"))
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=script, check=True, text=True)


def test_completion_completes_in_bash() -> None:
    """What a person begins to type is finished, command and action."""
    script = subprocess.run([*COMMAND, "completion", "bash"], check=True, capture_output=True, text=True).stdout
    answered = subprocess.run(["bash", "-c", script + COMPLETED], check=True, capture_output=True, text=True).stdout

    assert answered.strip() == "requeue"


async def in_a_terminal(url: str, *arguments: str, until: str, answer: str = "\x03") -> str:
    """Run a command on a terminal of its own; answer (or Ctrl-C) once it has printed ``until``; return what it showed."""

    def run() -> str:
        child, terminal = pty.fork()
        if child == 0:
            os.execve(sys.executable, [*COMMAND, *arguments], environment(url) | {"TERM": "xterm"})  # noqa: S606 - on the pty
        shown, answered = b"", False
        while True:
            try:
                read = os.read(terminal, 4096)
            except OSError:  # the other end is closed
                break
            if not read:
                break
            shown += read
            if not answered and until.encode() in shown:
                os.write(terminal, answer.encode())
                answered = True
        os.waitpid(child, 0)
        os.close(terminal)
        return shown.decode()

    async with asyncio.timeout(30):
        return await asyncio.to_thread(run)


@pytest.fixture
async def on_call(cluster: Cluster, database: Database, make_role: MakeRole) -> str:  # noqa: F811
    """The address for a login that belongs to pgmend_operator and to nobody else."""
    await make_role("on_call", "login in role pgmend_operator")
    return cluster.url(database.name, "on_call")


async def test_operator_is_told_of_a_set_aside_user_without_trying_the_recipe(
    on_call: str, connection: Connection, path: Path
) -> None:
    """A letter, a pause, nothing at all: none of them is called in flight, although this login may not rehearse."""
    key = await two_dead_letters(connection, path)
    _, lying, _ = await run_command(on_call, "explain", key)
    await connection.execute("delete from pgmend.dead_letters")
    _, nothing, _ = await run_command(on_call, "explain", key)
    await connection.execute("select pgmend.pause_source(1, 'a look')")
    _, paused, _ = await run_command(on_call, "explain", key)

    said = [text.splitlines()[1].strip().partition(":")[0] for text in (lying, nothing, paused)]
    assert said == ["needs_recipe", "unannounced", "paused"]


async def test_operator_reads_and_decides_and_touches_nothing_of_the_application(
    on_call: str, connection: Connection, path: Path
) -> None:
    """Status, lists, stories, explanations, requeue, discard, pause and resume; no rehearsal, and no table of the application."""
    key = await two_dead_letters(connection, path)
    first, second = [row[0] for row in await connection.fetch("select event_id::text from pgmend.dead_letters order by 1")]
    read = [
        (await run_command(on_call, *words))[0]
        for words in (("status",), ("events", "list"), ("events", "show", second), ("dead-letters", "list"), ("explain", key))
    ]
    tried = await run_command(on_call, "dead-letters", "requeue", first, "--dry-run")
    decided = [
        (await run_command(on_call, *words))[0]
        for words in (
            ("dead-letters", "requeue", first),
            ("dead-letters", "discard", second, "--yes"),
            ("pause", "--reason", "a look"),
            ("resume",),
            ("heal", "--all"),
        )
    ]

    assert (read, tried[0], decided) == ([0, 0, 0, 0, 3], 13, [0, 0, 0, 0, 48])
    assert "rights of the worker" in tried[2]
    assert await connection.fetchval(READS_ORDERS) is False


async def test_command_of_another_login_says_whose_it_is(cluster: Cluster, database: Database, make_role: MakeRole) -> None:  # noqa: F811
    """The worker may not stop a source; the line names the role that may, and offers no right that the worker has."""
    await make_role("at_work", "login in role pgmend_worker")

    status, _, err = await run_command(cluster.url(database.name, "at_work"), "pause", "--reason", "a look")

    assert (status, "who is on call of pgmend_operator" in err, "grant" in err) == (13, True, False)
