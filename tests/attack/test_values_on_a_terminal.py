"""What a writer has captured commands no terminal, and hides nothing from whoever reads it there."""

import json

import pytest

from tests.support.database import Database
from tests.support.process import run_command
from worker import pipeline
from worker.pipeline import Path
from worker.store.connection import Connection

COMMANDING = "\x1b]0;pwned\x07\x1b[2J\nok\x9b\u202e"
ENDLESS = "A" * 100_000
CAPTURE = """
    select pgmend.record_failed_insert(
        'public.leads', jsonb_build_object('user_id', $1::text), 'leads_user_id_fkey', $2
    )
"""
LIST, SHOW = ("dead-letters", "list"), ("dead-letters", "show")


async def set_aside(writer: Connection, path: Path, key: str) -> str:
    """Capture a row of nobody; return its event, which is a dead letter."""
    await writer.execute("select set_config('pgmend.correlation_id', $1, false)", COMMANDING)
    event = await writer.fetchval(CAPTURE, key, None)
    await pipeline.turn(path)
    return str(event)


@pytest.mark.parametrize(
    "words", [LIST, SHOW, (*SHOW, "--payload"), ("events", "show"), ("dead-letters", "requeue", "--dry-run")], ids=" ".join
)
async def test_captured_value_commands_no_terminal(
    database: Database, writer: Connection, path: Path, words: tuple[str, ...]
) -> None:
    """Whatever ends a line, moves the cursor or turns the direction of writing is seen as what it is."""
    event = await set_aside(writer, path, COMMANDING)

    _, shown, _ = await run_command(database.url, *words, *([] if words is LIST else [event]))

    assert r"\x1b]0;pwned\x07\x1b[2J\nok\x9b\u202e" in shown
    assert all(line.isprintable() for line in shown.split("\n"))
    assert "ok" not in [line.strip() for line in shown.split("\n")]


@pytest.mark.parametrize("words", [LIST, SHOW, ("events", "show")], ids=" ".join)
async def test_endless_value_makes_no_endless_line(
    database: Database, writer: Connection, path: Path, words: tuple[str, ...]
) -> None:
    """It is cut; the JSON has all of it."""
    event = [] if words is LIST else [await set_aside(writer, path, ENDLESS)]
    await set_aside(writer, path, ENDLESS)

    _, shown, _ = await run_command(database.url, *words, *event)
    _, answer, _ = await run_command(database.url, *words, *event, "--json")

    assert "AAA…" in shown
    assert max(map(len, shown.splitlines())) < (400 if words is LIST else 5000)
    assert ENDLESS in answer


@pytest.mark.parametrize("words", [("events", "list"), ("events", "list", "--json")], ids=["text", "json"])
async def test_waiting_event_makes_no_endless_line_either(database: Database, writer: Connection, words: tuple[str, ...]) -> None:
    """What a row waits for comes from its writer, too."""
    await writer.execute(CAPTURE, COMMANDING + ENDLESS, COMMANDING + ENDLESS)

    _, shown, _ = await run_command(database.url, *words)

    assert all(line.isprintable() for line in shown.split("\n"))
    assert (ENDLESS in shown, max(map(len, shown.splitlines())) < 400) == (("--json" in words), ("--json" not in words))


async def test_refusal_commands_no_terminal(database: Database, connection: Connection) -> None:
    """A name that somebody else gave stands in the line of a refusal as in any other."""
    await connection.execute("select pgmend.pause_source(1, $1)", COMMANDING)

    _, status, _ = await run_command(database.url, "status")
    ended, _, refusal = await run_command(database.url, "heal", "00000000-0000-0000-0000-000000000001")

    assert ended == 44
    assert all(line.isprintable() for line in (status + refusal).split("\n"))


async def test_json_holds_no_control_character_either(database: Database, writer: Connection, path: Path) -> None:
    """It is exact, and escaped: a terminal shows it as it is."""
    await set_aside(writer, path, COMMANDING + "\x7f")

    _, answer, _ = await run_command(database.url, *LIST, "--json")

    assert json.loads(answer)["dead_letters"][0]["user_key"] == COMMANDING + "\x7f"
    assert answer.rstrip("\n").isprintable()
    assert answer.isascii()
