"""What every answer of the page carries, and to whom it is given."""

import re
from itertools import pairwise

import pytest

from tests.support.database import sign_up
from tests.support.letters import dead_order
from tests.support.paged import Visitor, serving
from worker import pipeline
from worker.log import Log
from worker.pipeline import Path
from worker.store.connection import Connection, Target
from worker.web.page import PageOptions
from worker.web.page.assets import assets

POLICY = {
    "default-src 'none'",
    "style-src 'self'",
    "script-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
}


async def everything(visitor: Visitor, event_id: int) -> dict[str, str]:
    """Ask for each page, each static file, and each kind of refusal; return the texts by path."""
    pages = ["/", "/audit", "/audit?after=x", "/dead-letters", f"/dead-letters/{event_id}", f"/events/{event_id}", "/events/0"]
    signed = ["/sign-in", f"/dead-letters/{event_id}/requeue", f"/dead-letters/{event_id}/discard"]
    paths = [*pages, *signed, *(asset.path for asset in assets().values())]
    return {path: (await visitor.get(path)).text for path in paths}


async def test_every_answer_forbids_what_is_not_ours(keeper: Visitor, connection: Connection, path: Path) -> None:
    """Nothing inline, nothing from elsewhere, no frame around it, no guess of its type, refusals and files included."""
    await everything(keeper, await dead_order(connection, path))
    await keeper.sign_in("wrong")
    await keeper.get("/", Host="evil.example")

    for answer in keeper.answers:
        assert set(answer.headers["Content-Security-Policy"].split("; ")) == POLICY
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert "unsafe" not in str(answer.headers)


async def test_letter_that_a_trigger_refused_shows_the_triggers(visitor: Visitor, connection: Connection, path: Path) -> None:
    """Names are the application's, and shown as text; where a constraint is named no trigger is."""
    constrained = await dead_order(connection, path)
    await connection.execute(
        "create function public.refuse() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$;"
        'create trigger "<b>billing" before insert on public.profiles for each row execute function public.refuse()'
    )
    await sign_up(connection)
    await pipeline.turn(path)
    raised = await connection.fetchval("select event_id from pgmend.dead_letters where sqlstate = 'P0001'")

    shown, other = await visitor.get(f"/dead-letters/{raised}"), await visitor.get(f"/dead-letters/{constrained}")

    assert "&lt;b&gt;billing&#34; on profiles (refuse())" in shown.text
    assert ("<dt>Triggers</dt>" in shown.text, "<dt>Triggers</dt>" in other.text) == (True, False)


async def test_pages_are_kept_nowhere_and_static_files_for_ever(keeper: Visitor, connection: Connection, path: Path) -> None:
    """What tells of users stays in no cache; a file has its content's hash in its address."""
    await everything(keeper, await dead_order(connection, path))

    kept = {answer.headers["Cache-Control"] for answer in keeper.answers if "text/html" in answer.headers["Content-Type"]}
    files = {(await keeper.get(asset.path)).headers["Cache-Control"] for asset in assets().values()}
    assert kept == {"no-store"}
    assert files == {"public, max-age=31536000, immutable"}


async def test_no_answer_leads_to_another_site(keeper: Visitor, connection: Connection, path: Path) -> None:
    """Every address in it is one of this host."""
    event_id = await dead_order(connection, path)
    await keeper.sign_in()
    texts = await everything(keeper, event_id)

    addresses = {it for text in texts.values() for it in re.findall(r'(?:href|src|action|content)="([^"]*)"', text)}
    assert {it for it in addresses if not it.startswith(("/", "#", "width=device-width"))} == set()
    assert {it for it in addresses if it.startswith("//")} == set()


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example:80", "", "mend.example.org.evil.example"])
async def test_name_that_is_not_ours_is_not_answered(visitor: Visitor, host: str) -> None:
    """A rebound name reads nothing, be it a page or a file."""
    answers = [await visitor.get(path, Host=host) for path in ("/", "/audit", assets()["page.js"].path)]

    assert {answer.status for answer in answers} <= {400, 421}
    assert all("<main" not in answer.text for answer in answers)


async def test_configured_name_is_answered(log: Log) -> None:
    """Behind a proxy the page has a name, which PGMEND_HTTP_NAMES says."""
    options = PageOptions(Target("postgresql://127.0.0.1:1/none"), names=frozenset({"mend.example.org"}))
    async with serving(options, log) as visitor:
        assert (await visitor.get("/audit", Host="mend.example.org")).status == 503


async def test_each_page_is_a_document_that_can_be_heard(keeper: Visitor, connection: Connection, path: Path) -> None:
    """One heading of the first order, none skipped, landmarks, a language, and each header of a table with its scope."""
    event_id = await dead_order(connection, path)
    await keeper.sign_in()

    for place, text in (await everything(keeper, event_id)).items():
        if place.startswith("/static/"):
            continue
        levels = [int(level) for level in re.findall(r"<h([1-6])", text)]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(after - before <= 1 for before, after in pairwise(levels)), (place, levels)
        assert all(f"<{mark}" in text for mark in ("main", "nav", "header", "footer", 'html lang="en"'))
        assert re.findall(r"<th(?![^>]*scope=)(?!ead)[^>]*>", text) == []
        assert set(re.findall(r'<label for="(\w+)"', text)) <= set(re.findall(r'<(?:input|select) id="(\w+)"', text))
