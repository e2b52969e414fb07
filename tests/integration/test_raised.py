"""What a trigger of the application raises: which triggers stand there is told, their words are in the server's log alone."""

import pytest

from tests.support.database import Database, sign_up
from tests.support.examined import findings, of
from tests.support.outbox import due_now
from tests.support.workload import park_order
from worker import pipeline
from worker.commands.explain import lines
from worker.commands.letters_view import letter_lines
from worker.core.dead_letter import DeadLetter, LetterFilter
from worker.core.raised import FiringTrigger
from worker.core.retry_policy import RetryPolicy
from worker.embedded import Cluster
from worker.explaining import Explaining
from worker.pipeline import Path
from worker.store import dead_letters
from worker.store.connection import Connection

WORDS = "billing says no to "
BILLING = """
    create function public.ask_billing() returns trigger language plpgsql as
    $$ begin raise exception 'billing says no to %%', new.id; end $$;
    create trigger billing before insert on public.%s for each row execute function public.ask_billing();
    create trigger sleeping before insert on public.%s for each row execute function public.ask_billing();
    alter table public.%s disable trigger sleeping
"""


def trigger_on(table: str) -> str:
    """Return the statements that make one trigger which raises, and one that is disabled."""
    return BILLING % (table, table, table)


async def set_aside(connection: Connection, path: Path) -> DeadLetter:
    """Let the worker handle what waits; return the one dead letter, as a person looks at it."""
    for _ in range(2):
        await pipeline.turn(path)
        await due_now(connection)
    (found,) = await dead_letters.listed(connection, LetterFilter(), limit=2)
    letter = await dead_letters.one(connection, found.event_id)
    assert letter is not None
    return letter


async def test_words_of_a_trigger_reach_no_client(database: Database, connection: Connection) -> None:
    """Whoever is only on call may ask for every message of the server, and learns the SQLSTATE."""
    await connection.execute(trigger_on("profiles"))
    await sign_up(connection)
    caller, heard = await database.connect(), list[str]()
    caller.add_log_listener(lambda _, message: heard.append(str(message)))
    await caller.execute("set role pgmend_operator; set client_min_messages = debug1")
    refused = await caller.fetchval("select refused from pgmend.backfill_users(1, null, 10)")

    assert refused == 1
    assert [message for message in heard if WORDS in message] == []


async def test_letter_that_a_trigger_refused_names_the_triggers_and_the_log(connection: Connection, path: Path) -> None:
    """Those that an insert of a profile fires, and that the words are in the server's log; no advice to please an SQLSTATE."""
    await connection.execute(trigger_on("profiles"))
    key = await sign_up(connection)

    letter = await set_aside(connection, path)

    assert [it.name for it in letter.triggers] == ["billing", "profiles_resume_conversations"]
    assert letter.hint.startswith("A trigger or function of the application raises P0001 when the profile is made.")
    assert "the server's log has them" in letter.hint
    (line,) = (line for line in letter_lines(letter, with_payload=False) if line.startswith("triggers"))
    assert line.startswith("triggers    billing on profiles (ask_billing()), ")
    assert key not in letter.message + letter.hint


async def test_row_that_a_trigger_refused_names_the_triggers_of_its_own_table(
    connection: Connection, writer: Connection, path: Path
) -> None:
    """A replay that a trigger on the captured row's table refuses says so, although the letter keeps the captured key."""
    await park_order(writer, await sign_up(connection))
    await connection.execute(trigger_on("orders"))

    letter = await set_aside(connection, path)

    assert (letter.verdict, letter.sqlstate, letter.failed_constraint) == ("refused", "P0001", "fk_orders_user_id")
    assert letter.triggers == (FiringTrigger("orders", "billing", "ask_billing()"),)
    assert "raises P0001 when the row is inserted" in letter.hint


@pytest.mark.parametrize("name", ["ada", None], ids=["set-wise", "suspect"])
async def test_words_of_a_trigger_are_in_the_log_of_the_server(
    cluster: Cluster, connection: Connection, path: Path, name: str | None
) -> None:
    """Also of what is caught inside the database, which would not reach the log by itself; and nowhere in what is kept."""
    await connection.execute(trigger_on("profiles"))
    key = await sign_up(connection, name=name or "x" * 121)

    await set_aside(connection, path)

    assert f"{WORDS}{key}" in cluster.log_file.read_text(encoding="utf-8", errors="replace")
    assert await connection.fetchval("select count(*) from public.error_logs as e where e::text like $1", f"%{WORDS}%") == 0


async def test_explanation_names_the_triggers(connection: Connection, path: Path) -> None:
    """Beside the recipe that was tried and undone."""
    await connection.execute(trigger_on("profiles"))
    key = await sign_up(connection)
    await set_aside(connection, path)

    (it,) = await Explaining(connection, RetryPolicy(), 1.0).explain(key)

    assert list(lines(it))[-1].startswith("  triggers that may raise it: billing on profiles (ask_billing()), ")


async def test_letter_that_a_constraint_refused_names_no_trigger(connection: Connection, path: Path) -> None:
    """A trigger that stands there and refused nothing is not suspected."""
    await connection.execute(
        "create function public.watch() returns trigger language plpgsql as $$ begin return new; end $$;"
        "create trigger watch before insert on public.profiles for each row execute function public.watch()"
    )
    await sign_up(connection, name="x" * 121)

    letter = await set_aside(connection, path)

    assert (letter.failed_constraint, letter.triggers) == ("profiles_name_is_short", ())
    assert not any(line.startswith("triggers") for line in letter_lines(letter, with_payload=False))


async def test_doctor_shows_the_code_that_raises_instead_of_another_recipe(database: Database, connection: Connection) -> None:
    """Which triggers it may be, and the SQL that prints their functions."""
    await connection.execute(trigger_on("profiles"))
    await sign_up(connection)

    (finding,) = of(await findings(database), "recipe_refused")

    assert "triggers: billing on profiles (ask_billing())" in finding.what
    assert "the server's log" in finding.what
    assert finding.mend.startswith("select pg_get_functiondef('ask_billing()'::regprocedure);")
