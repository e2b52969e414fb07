"""The demo of what already went wrong: it holds, each of its invariants can fail, and it leaves nothing behind."""

import asyncio
import json
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import pytest

from demo import invariants
from demo.__main__ import main
from demo.orphans.application import Application
from demo.orphans.narrator import Narrator, PlainNarrator
from demo.orphans.result import Result
from demo.orphans.running import OfBlocks, Pgmend, spelled
from demo.orphans.scene import Scene
from demo.orphans.shop import Shop, connected, open_shop
from demo.orphans.story import INVARIANTS, mend, unmend
from demo.orphans.terminal_narrator import TerminalNarrator
from demo.stage import Stage
from demo.statements import invariant_names
from tests.support.database import Database, count, create_database, drop_database
from tests.support.process import environment
from tests.support.waiting import eventually
from worker import embedded
from worker.core.strategy import STRATEGIES
from worker.store.connection import Connection

ROWS = 4000

WHOLE_ORDER = """(
    select min(id::text)::uuid from public.orders
    where user_id not in (select person from demo.live_users) and id not in (select row_id from demo.orphans)
)"""

REPAIRED = {
    "a row is gone behind the repair's back": (
        f"delete from public.orders where id = {WHOLE_ORDER}",
        {"tables with other rows changed": 1, "rows lost or added": 1},
    ),
    "a row that was no orphan is changed": (
        f"update public.orders set amount = amount + 0.01 where id = {WHOLE_ORDER}",
        {"tables with other rows changed": 1},
    ),
    "a row is there that was not": (
        "insert into public.orders (user_id, amount) select id, 1 from public.profiles where name like 'Person %' limit 1",
        {"tables with other rows changed": 1, "rows lost or added": 1},
    ),
    "an orphan is left": (
        """
        set session_replication_role = replica;
        update public.leads set user_id = gen_random_uuid()
        where id = (select row_id from demo.orphans where table_name = 'leads' and reason = 'erased' limit 1)""",
        {"orphans": 1},
    ),
    "an orphan is deleted for good": (
        """
        with lost as (delete from pgmend.quarantine where quarantine_id = (
            select quarantine_id from pgmend.quarantine where action = 'delete' limit 1
        ) returning 1)
        update public.error_logs set details = jsonb_set(details, '{rows}', to_jsonb((details ->> 'rows')::bigint - 1))
        where id = (select min(id) from public.error_logs where details ->> 'strategy' = 'delete')""",
        {"rows lost or added": 1, "orphans neither healed nor kept": 1},
    ),
    "the quarantine has lost a value": (
        """
        update pgmend.quarantine set row_image = row_image || '{"amount": "0.00"}' where quarantine_id = (
            select quarantine_id from pgmend.quarantine where table_name = 'public.orders' limit 1
        )""",
        {"quarantined rows altered": 1},
    ),
    "a whole row is taken": (
        """
        update demo.orphans set row_id = gen_random_uuid(), row_text = '', table_name = 'orders' where (table_name, row_id) = (
            select 'leads', (row_image ->> 'id')::uuid from pgmend.quarantine
            where table_name = 'public.leads' and action = 'nullify' limit 1
        )""",
        {
            "rows taken that were no orphans": 1,
            "orphans neither healed nor kept": 1,
            "tables with other rows changed": 1,
        },
    ),
    "an erased user has a profile again": (
        "insert into public.profiles (id, name) select id, 'back' from public.users where deleted_at is not null limit 1",
        {"profiles of nobody entitled": 1, "tables with other rows changed": 1, "rows lost or added": 1},
    ),
    "a batch is not audited": (
        """
        delete from public.error_logs where id = (
            select min(id) from public.error_logs where details ->> 'lane' = 'repair'
        )""",
        {"repaired rows not audited": 1},
    ),
    "a key is gone": ("alter table public.orders drop constraint fk_orders_user_id", {"keys missing or not valid": 1}),
    "the application met an error": (
        "insert into demo.live_calls values ('insert orders', '55P03', 1)",
        {"errors of the application": 1},
    ),
    "a row of the application is lost": (
        """
        delete from public.leads where id = (
            select id from public.leads where user_id in (select person from demo.live_users) limit 1
        )""",
        {"rows of the application lost": 1},
    ),
}
RESTORED = {
    "an orphan came back with another value": (
        """
        update public.leads set user_id = 'legacy-0' where id = (
            select row_id from demo.orphans where table_name = 'leads' and reason = 'unknown' limit 1
        )""",
        {"tables not what they were": 1},
    ),
    "a row was left in the quarantine": (
        """
        update pgmend.quarantine set restored_at = null
        where quarantine_id = (select min(quarantine_id) from pgmend.quarantine)""",
        {"rows left in the quarantine": 1},
    ),
    "a command refused what it should do": (
        "update demo.commands_run set status = 36 where command = 'pgmend verify'",
        {"commands that ended otherwise": 1},
    ),
}


@pytest.fixture(scope="module")
def told(cluster: embedded.Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The names of two databases in the middle of the story: repaired with keys that hold, and restored."""
    folder = tmp_path_factory.mktemp("story")
    with ThreadPoolExecutor(1) as pool:  # a loop of its own, away from that of any test
        repaired, restored = pool.submit(asyncio.run, tell(cluster, folder)).result()
        yield repaired.name, restored.name
        for database in (repaired, restored):
            pool.submit(asyncio.run, drop_database(database)).result()


async def tell(cluster: embedded.Cluster, folder: Path) -> tuple[Database, Database]:
    """Tell the story up to the proof, copy the database, and go on with the copy to the end."""
    repaired = await create_database(cluster)
    stage = Stage(repaired.url, "a server of the tests")
    shop = await open_shop(stage, folder, rows=ROWS, seed=1)
    connection, narrator = await connected(stage), PlainNarrator()
    pgmend = Pgmend(stage.url, folder, narrator)
    await mend(Scene(connection, pgmend, narrator, shop), stage, seed=1)
    await connection.close()
    restored = await create_database(cluster, repaired.name)
    pgmend.url = restored.url
    connection = await connected(Stage(restored.url, stage.server))
    await unmend(Scene(connection, pgmend, narrator, shop))
    await connection.close()
    return repaired, restored


@pytest.fixture
async def repaired(cluster: embedded.Cluster, told: tuple[str, str]) -> AsyncIterator[Connection]:
    """A connection to a copy of the repaired database, to be tampered with."""
    copy = await create_database(cluster, told[0])
    yield await copy.connect()
    await drop_database(copy)


@pytest.fixture
async def restored(cluster: embedded.Cluster, told: tuple[str, str]) -> AsyncIterator[Connection]:
    """A connection to a copy of the restored database, to be tampered with."""
    copy = await create_database(cluster, told[1])
    yield await copy.connect()
    await drop_database(copy)


async def violated(connection: Connection, folder: str) -> dict[str, int]:
    """Return the invariants of a folder that do not hold, with what they found."""
    return {verdict.name: verdict.found for verdict in await invariants.check(connection, folder) if not verdict.holds}


async def start_demo(*arguments: str, url: str | None = None) -> asyncio.subprocess.Process:
    """Start the story as a process, in a pipe."""
    clean = {name: value for name, value in environment("").items() if name != "PGMEND_DATABASE_URL"}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "demo", "--orphans", *arguments),
        env=clean | ({"PGMEND_DATABASE_URL": url} if url else {}),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


@pytest.fixture(scope="module")
def heard() -> tuple[int, list[str], str]:
    """The story as a process in a pipe, told once: its status, its lines, and its errors."""

    async def listen() -> tuple[int, list[str], str]:
        process = await start_demo("--rows", str(ROWS), "--seed", "1", "--json")
        async with asyncio.timeout(300):
            out, err = await process.communicate()
        assert process.returncode is not None
        return process.returncode, out.decode().splitlines(), err.decode()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, listen()).result()


def test_story_is_told_to_the_end_and_holds(heard: tuple[int, list[str], str]) -> None:
    """From the key that cannot be added to the restore: status 0, and every invariant holds, none of them vacuously."""
    status, lines, errors = heard
    figures = json.loads(lines[-1])

    assert (status, errors) == (0, "")
    assert figures["holds"] is True
    assert [found["invariant"] for found in figures["invariants"] if not found["ok"] or not found["checked"]] == []
    assert set(figures["orphans_by_reason"]) == {"healable", "not_eligible", "erased", "gone", "unknown", "malformed"}
    assert [table for table in figures["tables_restored"] if table["all_before"] != table["all_now"]] == []
    assert figures["messages_along"] > 0
    assert figures["application"]["statements"] > 100


def test_story_shows_what_the_commands_really_print(heard: tuple[int, list[str], str]) -> None:
    """The spectator reads the server's 23503, the plan, the locks, the refusal of the restore with its reason, and the end."""
    printed = "\n".join(heard[1])

    assert 'ERROR:  23503: insert or update on table "orders" violates foreign key constraint "fk_orders_user_id"' in printed
    assert [name for name in STRATEGIES if f" {name}: " not in printed] == []
    assert "rows along with them" in printed
    assert "ShareRowExclusive on public.conversations, public.profiles for an instant" in printed
    assert "23503 fk_orders_user_id -> clear what stands against them" in printed
    assert "  fails   " not in printed
    assert "\nEvery invariant holds after " in printed


def test_every_invariant_of_the_story_has_a_violation_that_it_must_find() -> None:
    """An invariant that is never seen to fail proves nothing: each is found broken by a violation here."""
    found = {name for _, names in (REPAIRED | RESTORED).values() for name in names}
    assert found == {invariants.title(name) for folder in INVARIANTS for name in invariant_names(folder)}


async def test_invariants_hold_on_the_databases_that_are_tampered_with(repaired: Connection, restored: Connection) -> None:
    """What the violations are crafted in is whole to begin with."""
    assert await violated(repaired, INVARIANTS[0]) == {}
    assert await violated(restored, INVARIANTS[1]) == {}


@pytest.mark.parametrize("what", REPAIRED)
async def test_what_a_repair_must_not_do_is_found(repaired: Connection, what: str) -> None:
    """One thing put wrong after the repair is found by the invariants that speak of it, and by no other."""
    violation, expected = REPAIRED[what]
    await repaired.execute(violation)

    assert await violated(repaired, INVARIANTS[0]) == expected


@pytest.mark.parametrize("what", RESTORED)
async def test_what_a_restore_must_not_do_is_found(restored: Connection, what: str) -> None:
    """One thing put wrong after the restore is found by the invariant that speaks of it, and by no other."""
    violation, expected = RESTORED[what]
    await restored.execute(violation)

    assert await violated(restored, INVARIANTS[1]) == expected


async def test_interrupted_story_leaves_nothing_running(cluster: embedded.Cluster) -> None:
    """Ctrl-C in the middle of the repair ends command and clients and drops the database from an existing server."""
    process = await start_demo("--rows", "50000", url=cluster.url())
    assert process.stdout is not None
    async with asyncio.timeout(120):
        async for line in process.stdout:
            if "repair --apply" in line.decode():
                break

    process.send_signal(signal.SIGINT)
    async with asyncio.timeout(120):
        _, err = await process.communicate()

    assert process.returncode == 130
    assert err.decode().splitlines() == ["demo: interrupted; everything is stopped and removed"]
    await eventually(lambda: nothing_is_left(cluster))


async def nothing_is_left(cluster: embedded.Cluster) -> bool:
    """Return whether the server has no database and no session of a demo."""
    connection = await asyncpg.connect(cluster.url())
    databases = await count(connection, "pg_database where datname like 'pgmend\\_demo\\_%'")
    sessions = await count(connection, "pg_stat_activity where datname like 'pgmend\\_demo\\_%'")
    await connection.close()
    return not databases and not sessions


@pytest.mark.parametrize("arguments", [("--orphans", "--users", "5"), ("--rows", "5000"), ("--orphans", "--rows", "10")])
def test_options_that_do_not_belong_together_are_refused(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """What would be ignored is wrong usage: status 2, with a line that says what belongs where."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    assert ended.value.code == 2
    assert "error:" in capsys.readouterr().err


def test_explanation_of_the_story_shows_the_query_of_every_invariant(capsys: pytest.CaptureFixture[str]) -> None:
    """--explain with --orphans prints the invariants of the story, each with its query, and plays nothing."""
    assert main(["--orphans", "--explain"]) == 0
    printed = capsys.readouterr().out
    assert printed.count(" as checked") == sum(len(invariant_names(folder)) for folder in INVARIANTS)


def test_long_commands_are_spelled_so_that_they_can_be_pasted() -> None:
    """Many options stand one a line, with what a shell needs to read them as one command."""
    words = ["repair", "--only", "orders.user_id", "--apply", "--on-delete", "leads.user_id=set null"]
    assert spelled(["verify"]) == "pgmend verify"
    assert spelled(words).split(" \\\n    ")[1:] == ["--only orders.user_id", "--apply", "--on-delete 'leads.user_id=set null'"]


def test_blocks_are_kept_whole_or_not_at_all() -> None:
    """Of an answer in blocks those are shown whose first line begins as wanted, with the empty line that ends them."""
    keeps = OfBlocks("users", "2 ")
    assert [line for line in ("users", "key", "", "orders", "users", "", "2 orphans") if keeps(line)] == [
        "users",
        "key",
        "",
        "2 orphans",
    ]


def outcome(*verdicts: invariants.Verdict) -> Result:
    """Return a result with these verdicts."""
    shop = Shop(rows=100, reasons={"gone": 5}, along=1, system_user="")
    fared = Application(calls=Counter({("insert orders", "done"): 3, ("insert orders", "55P03"): 1})).as_json()
    return Result(7, "Postgres 18", shop, 1.0, {"repair": 1.0}, verdicts, (), (), (), fared)


@pytest.mark.parametrize("narrator", [PlainNarrator, TerminalNarrator])
def test_narrator_shows_commands_answers_and_what_is_broken(
    narrator: type[Narrator], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a pipe and on a terminal the same is told: what is typed and answered, what was left out, and what does not hold."""
    monkeypatch.setenv("COLUMNS", "200")
    teller = narrator()
    teller.begin("pgmend demo: a title")
    teller.act("1. diagnose: how many")
    teller.command("pgmend repair \\\n    --apply")
    teller.line("435 rows")
    teller.ended(left_out=2, status=3)
    teller.table([("table", "rows"), ("orders", "1,000")])
    teller.result(outcome(invariants.Verdict("orphans", 2, 100), invariants.Verdict("rows lost or added", 0, 100)))

    printed = capsys.readouterr().out
    parts = ("$ pgmend repair \\\n      --apply", "435 rows", "… 2 more lines", "(exit status 3)", "1,000")
    assert [part for part in parts if part not in printed] == []
    assert "1 of 2 invariants do not hold; play it again with --orphans --seed 7" in printed
    assert "4 statements beside it, 1 error, " in printed


def test_result_with_a_broken_invariant_does_not_hold() -> None:
    """One broken promise is enough, and the object for machines says which."""
    broken = outcome(invariants.Verdict("orphans", 2, 100), invariants.Verdict("rows lost or added", 0, 100))

    assert broken.holds is False
    assert [found["ok"] for found in broken.as_json()["invariants"]] == [False, True]  # type: ignore[attr-defined]
