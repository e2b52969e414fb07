"""docs/runbook.md can be followed to its end: every command and statement works as the login that the page names for it."""

import re
import shlex
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import pytest

from tests.conftest import StartWorker
from tests.integration.conftest import MakeRole, make_role  # noqa: F401 - a fixture
from tests.integration.test_roles import ATTACH, installer  # noqa: F401 - a fixture
from tests.support.database import Database
from tests.support.process import run_command
from tests.support.waiting import eventually
from tests.support.web import Client
from worker.commands.parser import make_parser
from worker.store import migrations
from worker.store.connection import Connection

CONSOLE = re.compile(r"^```console\n.*?^```$", re.DOTALL | re.MULTILINE)
"""What was said on a terminal: tests/acceptance/test_source_failing.py runs it."""
TEXT = CONSOLE.sub("", (Path(__file__).parents[2] / "docs" / "runbook.md").read_text(encoding="utf-8"))
LOGINS = {"operator": "shop_operator", "worker": "shop_worker", "installer": "shop_owner", "administrator": "postgres"}
BLOCK = re.compile(r"^( *)```(\w+)\n *(?:#|--) (\w+)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
ROW = re.compile(r"^\| `(\w+)` \|(.*)$", re.MULTILINE)
OF_NO_CONCERN = {"config", "sql", "completion", "uninstall", "restore"}
SEES_LESS = re.compile("pgmend (diagnose|verify|migrate)$|.*usename = current_user$", re.DOTALL)
"""What an operator may ask as well, and learns less from: nothing is to be migrated here, and everybody sees his own sessions."""

ILL = """
    insert into accounts.users (email) values ('ada@x');
    set role shop_owner;
    create table public.tickets (ticket_id bigint generated always as identity primary key, user_id uuid);
    insert into public.tickets (user_id) values (gen_random_uuid());
    reset role;
    set session_replication_role = replica;
    insert into public.orders values (gen_random_uuid(), 1);
    reset session_replication_role
"""
"""A user to be healed, a ticket and an order that lead nowhere; the order has a foreign key, the ticket has none."""

LETTERS = """
    insert into pgmend.dead_letters (event_id, source_id, kind, user_key, verdict, message, hint)
    select nextval('pgmend.event_ids'), 1, 'user_created', id::text, verdict, 'no', 'Change the recipe.'
    from accounts.users cross join unnest(array['needs_recipe', 'unknown_user']) as verdict
"""
PLACEHOLDERS = {
    "EVENT": "select max(event_id) from pgmend.dead_letters",
    "USER": "select id from accounts.users",
    "WHY": "select 'maintenance'",
    "ID": "select 1",
    "REFERENCE": "select 'tickets.user_id=profiles.id'",
    "PID": "select pid from pg_stat_activity where application_name = 'bystander'",
}
"""What a person fills in."""


@dataclass(frozen=True, slots=True)
class Step:
    """One command or one statement, and the login that the page names for it."""

    login: str
    language: str
    text: str


def steps() -> Iterator[Step]:
    """Yield what stands in the table of logins, then what stands in the blocks."""
    for login, cells in ROW.findall(TEXT.partition("| login |")[2].partition("\n\n")[0]):
        for command in re.findall(r"`(pgmend [^`]+)`", cells):
            yield Step(login, "sh", command)
    for _, language, login, body in BLOCK.findall(TEXT):
        for text in re.split(r";\n" if language == "sql" else r"\n", body):
            if text.strip():
                yield Step(login, language, text.strip())


@dataclass(slots=True)
class Walk:
    """Takes one step after the other on a shop that is ill, and remembers where the page is wrong."""

    database: Database
    connection: Connection
    start: StartWorker
    strayed: list[tuple[str, str, str]] = field(default_factory=list)

    async def take(self, step: Step, *, login: str | None = None) -> bool:
        """Do one step as its login, or as another, and return whether that worked."""
        await self.connection.execute(LETTERS)
        text = step.text
        for word, query in PLACEHOLDERS.items():
            if re.search(rf"\b{word}\b", text):
                text = re.sub(rf"\b{word}\b", str(await self.connection.fetchval(query)), text)
        url = self.database.cluster.url(self.database.name, LOGINS[login or step.login])
        said = await (self._ask(url, text) if step.language == "sql" else self._run(url, text))
        if said and login is None:
            self.strayed.append((step.login, text, said))
        return not said

    async def _ask(self, url: str, statement: str) -> str:
        session = await asyncpg.connect(url)
        try:
            return "hidden" if "<insufficient privilege>" in str(await session.fetch(statement)) else ""
        except asyncpg.PostgresError as error:
            return str(error)
        finally:
            await session.close()

    async def _run(self, url: str, command: str) -> str:
        program, *arguments = shlex.split(command)
        if program == "curl":
            return await self._probe(arguments[-1])
        if arguments == ["run"]:
            return "" if await self._work(url) else "the worker did not start"
        status, out, err = await run_command(url, *arguments, heartbeat_interval_seconds=3600)
        return "" if status in {0, 3} else f"{status}: {out[-300:]}{err}"

    async def _probe(self, url: str) -> str:
        worker = await self.start(url=self.database.cluster.url(self.database.name, "shop_worker"), http_port=0)
        answer = await Client((await worker.logged("http_started"))["port"]).get(f"/{url.rpartition('/')[2]}")
        await worker.kill()
        return "" if "reasons" in answer.body else str(answer)

    async def _work(self, url: str) -> bool:
        worker = await self.start(url=url)

        async def look() -> str | None:
            events = {line["event"] for line in worker.lines}
            if "sweep_finished" in events:
                return "failed" if "sweep_failed" in events else "swept"
            return None if worker.process.returncode is None else "ended"

        seen = await eventually(look)
        await worker.kill()
        return seen == "swept"


@pytest.fixture
async def walk(
    installer: Connection,  # noqa: F811
    make_role: MakeRole,  # noqa: F811
    empty_database: Database,
    start: StartWorker,
) -> AsyncIterator[Walk]:
    """A shop with the roles of roles.sql, whose users belong to another role, on which a worker has worked."""
    await make_role("shop_operator", "login in role pgmend_operator")
    await migrations.apply(installer, error_logs_table="public.error_logs")
    await installer.execute(ATTACH)
    admin = await empty_database.connect()
    await admin.execute(ILL)
    bystander = await empty_database.connect(application_name="bystander")
    worker = await start(url=empty_database.cluster.url(empty_database.name, "shop_worker"))
    await worker.logged("orphans_detected")
    await worker.kill()
    yield Walk(empty_database, admin, start)
    bystander.terminate()


async def test_runbook_can_be_followed_with_the_logins_that_it_names(walk: Walk) -> None:
    """Every command and every statement, in the order of the page."""
    for step in steps():
        await walk.take(step)

    assert walk.strayed == []


async def test_nobody_is_asked_for_more_than_a_step_takes(walk: Walk) -> None:
    """What the page gives to another login fails as whoever is on call; a diagnosis only sees less then."""
    others = [step for step in steps() if step.login != "operator" and not SEES_LESS.match(step.text)]
    assert others

    assert [step.text for step in others if await walk.take(step, login="operator")] == []


def test_table_of_logins_has_every_command_of_whoever_is_on_call() -> None:
    """A new command says there who may run it."""
    (action,) = (it for it in make_parser()._actions if it.dest == "command")
    named = {step.text.split()[1] for step in steps() if step.language == "sh" and step.text.startswith("pgmend ")}

    assert set(action.choices or ()) - named == OF_NO_CONCERN


def test_every_block_names_its_login_and_pastes_as_one() -> None:
    """No block mixes shell and SQL, or leaves open who runs it; and no statement hides in a sentence."""
    fences = re.findall(r"^ *```\w*$", TEXT, re.MULTILINE)
    said = re.sub(r"^ *```.*?^ *```$", "", TEXT, flags=re.DOTALL | re.MULTILINE)

    assert len(fences) == 2 * len(BLOCK.findall(TEXT))
    assert {step.login for step in steps()} == LOGINS.keys()
    assert {step.text.split()[0] for step in steps() if step.language == "sh"} == {"pgmend", "curl"}
    assert not re.search(r"`(select|insert|update|delete) ", said)
