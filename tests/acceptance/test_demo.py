"""The demo: it holds, it can fail, and it leaves nothing behind."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor

import asyncpg
import pytest

from demo import invariants
from demo.__main__ import main
from demo.acts import SIGN_UP
from demo.incidents import MAKE_ADMIN
from demo.ledger import Ledger
from demo.plan import make_plan
from demo.statements import invariant_names, statement
from demo.storm import Storm
from tests.support.database import Database, create_database, drop_database
from tests.support.process import environment
from tests.support.waiting import eventually
from worker import embedded, pipeline
from worker.log import make_log
from worker.pipeline import Path
from worker.store.connection import Target

ADMIN = "00000000-0000-4000-8000-000000000001"
USERS = 120

VIOLATIONS = {
    "users without profile": """
        set session_replication_role = replica;
        insert into public.users (email) values ('lost@example.org')""",
    "sign-ups failed": """
        update demo.intents set answer = 'raised'
        where intent_id = (select min(intent_id) from demo.intents where act = 'sign_up')""",
    "calls that raised": """
        update demo.intents set answer = 'raised'
        where intent_id = (select min(intent_id) from demo.intents where act = 'own_profile')""",
    "captured inserts lost": """
        delete from public.orders where (amount * 100)::bigint = (
            select min(intent_id) from demo.intents join demo.people using (user_id)
            where act = 'order' and receipt is not null and fate = 'whole'
        )""",
    "inserts stored twice": """
        insert into public.leads (user_id, source) select user_id, source from public.leads limit 1""",
    "promised conversations missing": """
        delete from public.conversations where id = (select id from public.conversations limit 1)""",
    "conversations without welcome": """
        delete from public.chat_messages
        where id = (select id from public.chat_messages where kind = 'welcome' limit 1)""",
    "conversations welcomed twice": """
        insert into public.chat_messages (conversation_id, sender_id, kind, content)
        select conversation_id, sender_id, kind, content from public.chat_messages where kind = 'welcome' limit 1""",
    "pairs with two conversations": """
        alter table public.conversations drop constraint conversations_pair_is_unique;
        with second as (
            insert into public.conversations (customer_id, admin_id)
            select customer_id, admin_id from public.conversations limit 1
            returning id, admin_id
        )
        insert into public.chat_messages (conversation_id, sender_id, kind, content)
        select id, admin_id, 'welcome', 'Welcome!' from second""",
    "callers given different conversations": """
        update demo.intents set row_id = gen_random_uuid() where intent_id = (
            select min(intent_id) from demo.intents where row_id is not null
            group by user_id having count(*) > 1 limit 1
        )""",
    "erased users resurrected": """
        set session_replication_role = replica;
        insert into public.profiles (id, name) select user_id, 'back' from demo.people where fate = 'erased_soft' limit 1""",
    "orphans": """
        set session_replication_role = replica;
        insert into public.orders (user_id, amount) values (gen_random_uuid(), 99999.99)""",
    "healed profiles not audited once": """
        delete from public.error_logs where id = (
            select min(entry.id)
            from public.error_logs as entry join demo.people as person on person.user_id::text = entry.user_id
            where error_type = 'MISSING_PROFILE_CREATED' and fate = 'whole'
        )""",
    "captures not audited once": """
        delete from public.error_logs
        where id = (select min(id) from public.error_logs where error_type = 'FOREIGN_KEY_VIOLATION_CAPTURED')""",
    "captured events not settled once": """
        insert into public.error_logs (error_type, severity, user_id, message, event_id)
        select error_type, severity, user_id, message, event_id
        from public.error_logs where error_type = 'CONVERSATION_RETRIED' limit 1""",
    "dead letters not audited once": """
        delete from public.error_logs
        where id = (select min(id) from public.error_logs where error_type = 'EVENT_DEAD_LETTERED')""",
    "dead letters without reason": """
        update pgmend.dead_letters set hint = ' ' where event_id = (select min(event_id) from pgmend.dead_letters)""",
    "dead letters unexpected": """
        update pgmend.dead_letters set verdict = 'refused' where event_id = (select min(event_id) from pgmend.dead_letters)""",
    "events left over": """
        insert into pgmend.express_events (source_id, user_key)
        select 1, id::text from public.profiles limit 1""",
}


@pytest.fixture(scope="module")
def aftermath(cluster: embedded.Cluster, template: str) -> Iterator[str]:
    """The name of a database after a small storm that was healed, everything written down."""

    async def build() -> Database:
        database = await create_database(cluster, template)
        connection = await database.connect(application_name="pgmend demo")
        await connection.execute(statement("schema"))
        storm = Storm(Target(database.url, application_name="pgmend demo"), make_plan(USERS, seed=1), Ledger())
        await connection.execute(SIGN_UP, ADMIN, None, "Admin", None)
        await connection.execute(MAKE_ADMIN, ADMIN)
        await storm.play()
        await heal_everything(database)
        await storm.ledger.write_down(connection)
        await database.close()
        return database

    with ThreadPoolExecutor(1) as pool:  # a loop of its own, away from that of any test
        built = pool.submit(asyncio.run, build()).result()
        yield built.name
        pool.submit(asyncio.run, drop_database(built)).result()


@pytest.fixture
async def database(cluster: embedded.Cluster, aftermath: str) -> AsyncIterator[Database]:
    """A copy of the aftermath, to be tampered with."""
    copy = await create_database(cluster, aftermath)
    yield copy
    await drop_database(copy)


async def heal_everything(database: Database) -> None:
    """Take turns until the outbox is empty, as if every grace period were over."""
    path = Path(await database.connect(), make_log(level="error", log_format="json", worker_id="test"))

    async def healed() -> bool:
        await path.connection.execute(
            "update pgmend.careful_events "
            "set created_at = created_at - interval '1 minute', available_at = now() where attempts > 0"
        )
        await pipeline.turn(path)
        return not await path.connection.fetchval("select exists (select from pgmend.outbox)")

    await eventually(healed, within=60)


async def start_demo(*arguments: str, url: str | None = None) -> asyncio.subprocess.Process:
    """Start the demo as a process, in a pipe."""
    clean = {name: value for name, value in environment("").items() if name != "PGMEND_DATABASE_URL"}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "demo", *arguments),
        env=clean | ({"PGMEND_DATABASE_URL": url} if url else {}),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def demo_databases(cluster: embedded.Cluster) -> list[str]:
    """Return the databases that the demo has made on the server and not dropped."""
    connection = await asyncpg.connect(cluster.url())
    rows = await connection.fetch("select datname from pg_database where datname like 'pgmend\\_demo\\_%'")
    await connection.close()
    return [row["datname"] for row in rows]


async def read_until(process: asyncio.subprocess.Process, text: str) -> None:
    """Read the demo's lines until one contains the text."""
    assert process.stdout is not None
    async with asyncio.timeout(60):
        async for line in process.stdout:
            if text in line.decode():
                return
    raise AssertionError(f"the demo never said {text!r}")


async def test_demo_holds_and_says_so_in_its_last_line() -> None:
    """A storm with a killed worker ends with status 0 and one JSON object in which every invariant holds and was not vacuous."""
    process = await start_demo("--users", "200", "--seed", "1", "--json")
    async with asyncio.timeout(120):
        out, err = await process.communicate()

    figures = json.loads(out.decode().splitlines()[-1])
    assert (process.returncode, err) == (0, b"")
    assert figures["holds"] is True
    assert [found["invariant"] for found in figures["invariants"] if not found["ok"]] == []
    assert [found["invariant"] for found in figures["invariants"] if found["checked"] == 0] == []
    assert figures["time_to_integrity_ms"]["p50"] > 0
    assert figures["times_measured_by"] == "commit to commit"


def test_every_invariant_has_a_violation_that_it_must_find() -> None:
    """An invariant that is never seen to fail proves nothing: each has a crafted violation here."""
    assert set(VIOLATIONS) == set(map(invariants.title, invariant_names()))


async def test_invariants_hold_after_the_storm(database: Database) -> None:
    """The database that the violations are crafted in is whole to begin with, and no invariant is vacuous."""
    verdicts = await invariants.check(await database.connect())

    assert [verdict for verdict in verdicts if not verdict.holds or not verdict.checked] == []


@pytest.mark.parametrize("name", VIOLATIONS)
async def test_violation_is_reported_by_its_invariant_alone(database: Database, name: str) -> None:
    """One thing put wrong is found once, by the invariant that speaks of it, and by no other."""
    connection = await database.connect()
    await connection.execute(VIOLATIONS[name])

    violated = [(verdict.name, verdict.found) for verdict in await invariants.check(connection) if not verdict.holds]

    assert violated == [(name, 1)]


async def test_interrupted_demo_drops_its_database(cluster: embedded.Cluster) -> None:
    """Ctrl-C in the middle of the storm stops workers and clients and removes the database from an existing server."""
    process = await start_demo("--users", "100000", url=cluster.url())
    await read_until(process, "signed up")

    process.send_signal(signal.SIGINT)
    async with asyncio.timeout(60):
        _, err = await process.communicate()

    assert process.returncode == 130
    assert err.decode().splitlines() == ["demo: interrupted; everything is stopped and removed"]
    assert await demo_databases(cluster) == []


async def test_kept_database_stays_on_an_existing_server(cluster: embedded.Cluster) -> None:
    """With --keep the demo waits at its end for Ctrl-C, ends with its result, and leaves the database where it is."""
    process = await start_demo("--users", "10", "--keep", url=cluster.url())
    await read_until(process, "stays until Ctrl-C")

    process.send_signal(signal.SIGINT)
    async with asyncio.timeout(60):
        await process.communicate()

    (kept,) = await demo_databases(cluster)
    assert process.returncode == 0
    await drop_database(Database(cluster, kept))


async def test_server_out_of_reach_is_one_line_with_a_hint() -> None:
    """An address where nobody answers ends the demo with status 3 and a line that says what to do."""
    process = await start_demo(url="postgresql://nobody:secret@127.0.0.1:1/none")
    async with asyncio.timeout(60):
        _, err = await process.communicate()

    (line,) = err.decode().splitlines()
    assert process.returncode == 3
    assert line.startswith("demo: the server cannot be reached")
    assert " -> " in line
    assert "secret" not in line


def test_explanation_shows_the_query_of_every_invariant(capsys: pytest.CaptureFixture[str]) -> None:
    """--explain prints each invariant with the one query that checks it, and plays nothing."""
    assert main(["--explain"]) == 0
    printed = capsys.readouterr().out
    assert printed.count("\n== ") + 1 == len(VIOLATIONS)
    assert printed.count(" as checked") == len(VIOLATIONS)
