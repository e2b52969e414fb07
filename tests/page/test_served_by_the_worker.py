"""The page as a real worker serves it, and as a wheel carries it."""

import re
import signal
import subprocess
import sys
import zipfile
from pathlib import Path as FilePath

import aiohttp

from tests.conftest import StartWorker
from tests.support.database import Database, count
from tests.support.letters import dead_order
from tests.support.paged import TOKEN, Clock, Visitor
from worker.commands.parser import make_parser
from worker.pipeline import Path
from worker.settings import load
from worker.web.page import options_of
from worker.web.page.state import __file__ as state_source

ROOT = FilePath(__file__).parents[2]


async def test_worker_serves_the_page_beside_its_probes_and_obeys_a_signed_in_person(
    database: Database, start: StartWorker, path: Path
) -> None:
    """One process, one port: overview, sign-in, requeue; and a probe is answered under any name."""
    event_id = await dead_order(await database.connect(), path)
    worker = await start(http_port=0, http_token=TOKEN)
    port = (await worker.logged("http_started"))["port"]
    async with aiohttp.ClientSession() as session:
        visitor = Visitor(f"http://127.0.0.1:{port}", session, Clock())
        overview, probe = await visitor.get("/"), await visitor.get("/livez", Host="10.0.0.7.pods.example")
        await visitor.sign_in()
        action = f"/dead-letters/{event_id}/requeue"
        done = await visitor.post(action, {"form": (await visitor.get(action)).form(action)})

    assert (overview.status, probe.status, done.status) == (200, 200, 303)
    assert overview.headers["Referrer-Policy"] == "same-origin"
    assert "2 dead letters: needs_recipe" in overview.main
    requeued = "public.error_logs where error_type = 'DEAD_LETTER_REQUEUED' and details ->> 'on_behalf_of' = 'Ada'"
    assert await count(await database.connect(), requeued) == 1
    worker.send(signal.SIGTERM)
    assert await worker.ended() == 0


def test_settings_reach_the_page() -> None:
    """The token, the names, and the address that is served on."""
    options = options_of(
        load(
            {
                "database_url": "postgresql://localhost/app",
                "http_token": TOKEN,
                "http_names": "Mend.example.org , b.example.",
                "http_host": "10.0.0.1",
            }
        )
    )

    assert options.token == TOKEN
    assert options.names == {"mend.example.org", "b.example", "10.0.0.1"}
    assert TOKEN not in repr(options)


def test_every_command_that_the_page_names_is_one() -> None:
    """Nobody is sent to a command that the parser does not take."""
    sources = [FilePath(state_source), *(FilePath(state_source).parent / "templates").glob("*.html")]
    named = {it for path in sources for it in re.findall(r'"pgmend ([^"]+)"( ~)?', path.read_text())}
    commands = {re.sub(r"\{[^}]*\}", "1", text) + (" 1" if goes_on else "") for text, goes_on in named}

    assert len(commands) >= 8
    for command in commands:
        assert callable(make_parser().parse_args(command.split()).run), command


def test_wheel_carries_templates_and_static_files(tmp_path: FilePath) -> None:
    """An installed worker has its page."""
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path], cwd=ROOT, check=True)
    names = set(zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist())

    folder = ROOT / "worker" / "web" / "page"
    files = {path.relative_to(ROOT).as_posix() for kind in ("templates", "static") for path in (folder / kind).iterdir()}
    assert files - names == set()
