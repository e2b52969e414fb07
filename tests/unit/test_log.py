"""Logs: one JSON object a line, no secret and no personal value, also in tracebacks."""

import json
import re
import time
from io import StringIO

import pytest

from worker.log import make_log, redacted


def test_line_is_one_json_object_with_the_promised_fields(capsys: pytest.CaptureFixture[str]) -> None:
    """Timestamp in UTC and ISO 8601, level, event, service and worker id stand in every line."""
    make_log(level="info", log_format="auto", worker_id="w1").info("profile_healed", event_id=7)
    line = json.loads(capsys.readouterr().out)

    assert line["timestamp"].endswith("Z")
    assert {key: line[key] for key in ("level", "event", "service", "worker_id", "event_id")} == {
        "level": "info",
        "event": "profile_healed",
        "service": "pgmend",
        "worker_id": "w1",
        "event_id": 7,
    }


def test_password_in_a_url_is_masked_also_in_a_traceback() -> None:
    """An exception that quotes the address does not give the password away."""
    stream = StringIO()
    log = make_log(level="info", log_format="json", worker_id="w1", stream=stream)
    try:
        int("postgresql://app:hunter2@db:5432/app password=hunter2")
    except ValueError:
        log.exception("connection_failed")

    assert "hunter2" not in stream.getvalue()
    assert "postgresql://app:********@db" in stream.getvalue()


def test_example_of_an_address_in_a_hint_is_not_masked() -> None:
    """It tells a person what to write; a password that only begins like it is masked."""
    example = "it says where the database is: postgresql://user:password@host:5432/database"

    assert redacted(example) == example
    assert "hunter2" not in redacted("postgresql://user:password@x:hunter2@host:5432/database")


@pytest.mark.parametrize(
    "message",
    [
        "Key (email)=(ada@example.org) already exists.",
        "Key (lower(email))=(ada@example.org) already exists.",
        "Key (name)=(Ada) Lovelace, ada) already exists.",
        "Failing row contains (1, ada@example.org, null).",
        'insert violates: Key (user_id, "Email")=(7, ada@example.org) is not present in table "profiles".',
    ],
)
def test_row_values_that_the_database_quotes_are_cut(message: str) -> None:
    """Details of constraint violations carry personal values; the log keeps the columns only."""
    assert "ada" not in redacted(message).lower()


@pytest.mark.parametrize("text", ["a", "x://a:", "Key (", "password="])
def test_text_of_a_megabyte_is_cut_and_holds_nobody_up(text: str) -> None:
    """Somebody's endless text, made to be looked at again and again, costs a moment of processor time and not minutes."""
    began = time.process_time()
    shown = redacted(text * (1_000_000 // len(text)))

    assert time.process_time() - began < 2
    assert len(shown) < 2100
    assert re.search(r"\(\d+ characters\)$", shown)


def test_value_commands_no_terminal() -> None:
    """On the console a sign that is not seen is written as an escape, as it is in JSON; a traceback keeps its lines."""
    stream = StringIO()
    log = make_log(level="info", log_format="console", worker_id="w1", stream=stream)
    try:
        int("\x1b[2J")
    except ValueError:
        log.exception("event_dead_lettered", user_key="\x1b[2J\u202e")

    assert "user_key=\\x1b[2J\\u202e" in stream.getvalue()
    assert len(stream.getvalue().splitlines()) > 3
    assert all(line.isprintable() for line in stream.getvalue().split("\n"))


def test_lines_below_the_level_are_not_written() -> None:
    """The level is the least severe that is written."""
    stream = StringIO()
    make_log(level="warning", log_format="json", worker_id="w1", stream=stream).info("express_batch_settled")

    assert stream.getvalue() == ""
