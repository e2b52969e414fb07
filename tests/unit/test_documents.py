"""The documents say what the code does: log events, error types, commands, exit codes, settings."""

import argparse
import ast
import functools
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from worker import errors
from worker.__main__ import BROKEN_PIPE
from worker.commands.doctor import FOUND_SOMETHING
from worker.commands.parser import make_parser
from worker.core.audit import VOCABULARY
from worker.core.checks import CHECKS
from worker.settings import Settings
from worker.store.migrations import all_migrations

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LOG_METHODS = {"debug", "info", "warning", "error", "exception"}


def first_cells(document: str, *, header: str | None = None) -> list[str]:
    """Return the first cell of each row of the tables of a document, or of the table below one header."""
    text = (ROOT / "docs" / document).read_text()
    if header:
        text = text.partition(header)[2]
        text = text.partition("\n## ")[0]
    cells = re.findall(r"^\| ([^|]+?) \|", text, re.MULTILINE)
    return [cell.strip("`") for cell in cells]


def logged_events() -> set[str]:
    """Return the first argument of every call of a log method in the package."""
    calls = (
        node
        for path in (ROOT / "worker").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LOG_METHODS
    )
    return {call.args[0].value for call in calls if call.args and isinstance(call.args[0], ast.Constant)}  # type: ignore[misc]


def test_catalogue_of_log_events_is_complete() -> None:
    """Every event that the code logs stands in the catalogue, and nothing else does."""
    assert set(first_cells("log_events.md")) - {"event"} == logged_events()


def test_log_events_are_named_noun_and_past_tense() -> None:
    """Names read like what happened, never like a sentence."""
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)+", event) for event in logged_events())


def test_vocabulary_of_error_types_is_documented() -> None:
    """Each error type stands in the document with the sentence that the code has for it."""
    text = (ROOT / "docs" / "error_types.md").read_text()
    for error_type, meaning in VOCABULARY.items():
        assert re.search(rf"^\| `{error_type}` \| \w+ \| {re.escape(meaning)} \|$", text, re.MULTILINE), error_type


def test_no_error_type_is_written_that_the_vocabulary_does_not_know() -> None:
    """The SQL and the code write no other names."""
    sources = [
        *(ROOT / "worker" / "core").rglob("*.py"),
        *(ROOT / "worker" / "runtime").rglob("*.py"),
        *(ROOT / "sql").rglob("*.sql"),
    ]
    written = {name for path in sources for name in re.findall(r"['\"]([A-Z]+(?:_[A-Z]+){1,4})['\"]", path.read_text())}

    assert written == {name for name in VOCABULARY if name in written}
    assert "MISSING_PROFILE_CREATED" in written


def test_every_command_and_option_is_documented() -> None:
    """The table of commands is the parser."""
    text = (ROOT / "docs" / "cli.md").read_text()
    for name, parser in every_command(make_parser()):
        row = re.search(rf"^\| `pgmend {name}` \|(.*)$", text, re.MULTILINE)
        assert row, name
        for action in parser._actions:
            written = [*action.option_strings, action.metavar][0]
            assert action.dest == "help" or f"`{written}`" in row[1], (name, written)


def every_command(parser: argparse.ArgumentParser, above: str = "") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Yield every command that does something, with its whole name: ``events list``."""
    (actions,) = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    for name, below in actions.choices.items():
        if any(isinstance(action, argparse._SubParsersAction) for action in below._actions):
            yield from every_command(below, f"{above}{name} ")
        else:
            yield f"{above}{name}", below


@pytest.mark.parametrize("name", [name for name, _ in every_command(make_parser())])
def test_help_of_every_command_has_examples_that_its_parser_takes(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person who is in a hurry copies one, and it is not refused as a wrong command line."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recipe.json").write_text("{}")
    examples = examples_of(dict(every_command(make_parser()))[name])

    assert [example for example in examples if f" {' '.join(example)} ".startswith(f" {name} ")], name
    for example in examples:
        assert make_parser().parse_args(example).run


def examples_of(parser: argparse.ArgumentParser) -> list[list[str]]:
    """Return the words after ``pgmend`` of each example that the help of a command ends with."""
    text = parser.format_help().partition("\nexamples:\n")[2]
    found = re.findall(r"^  (?:PGMEND_\S+ )?pgmend (.+?)(?: [>|] .*|  .*)?$", text, re.MULTILINE)
    return [shlex.split(example) for example in found]


def test_catalogue_of_checks_is_documented() -> None:
    """Each check of the doctor stands in its table, in order and word for word, and nothing else does."""
    text = (ROOT / "docs" / "doctor.md").read_text().partition("## Checks")[2]
    rows = [line for line in text.splitlines() if line.startswith("| `")]

    assert rows == [f"| `{name}` | {it.severity} | {it.finds} | {it.why} | {it.mend} |" for name, it in CHECKS.items()]


def test_every_check_is_made_somewhere() -> None:
    """No check of the catalogue has lost its judgement."""
    sources = [ROOT / "worker" / "examination.py", *(ROOT / "worker" / "core" / "doctor").glob("*.py")]
    judged = {name for path in sources for name in re.findall(r'found\(\s*"(\w+)"', path.read_text())}

    assert judged == set(CHECKS)


def test_every_exit_code_is_documented() -> None:
    """The table of exit codes, the tree in the docstring and the classes agree."""
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.PgmendError)]
    codes = {str(kind.exit_code) for kind in kinds}
    tree = re.findall(r"^(?:\S+ )?(\w+Error) +(\d+)", errors.__doc__ or "", re.MULTILINE)

    assert len(codes) == len(kinds)
    assert set(first_cells("cli.md", header="## Exit codes")) == codes | {
        "code",
        "0",
        "2",
        str(FOUND_SOMETHING),
        str(BROKEN_PIPE),
        "130, 143",
    }
    assert dict(tree) == {kind.__name__: str(kind.exit_code) for kind in kinds}


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_documented_with_its_unit(name: str) -> None:
    """The table carries each setting with its description, and a duration says its unit in its name."""
    field = Settings.model_fields[name]
    text = (ROOT / "docs" / "cli.md").read_text()

    assert f"| `PGMEND_{name.upper()}` |" in text
    assert f"| {field.description} |" in text
    if field.annotation is float:
        assert name.endswith(("_seconds", "_milliseconds", "_days"))


def test_migrations_are_numbered_without_a_gap_and_say_why() -> None:
    """Files apply in the order of their names, and each begins with a sentence."""
    migrations = all_migrations()

    assert [migration.version for migration in migrations] == list(range(1, len(migrations) + 1))
    assert all(migration.text.startswith("-- ") for migration in migrations)


@pytest.mark.parametrize("document", DOCUMENTS, ids=[path.stem for path in DOCUMENTS])
def test_every_test_that_a_document_names_is_there(document: Path) -> None:
    """A promise is shown by a test that runs: by its file, or by its name."""
    text = document.read_text()
    files = {path for path in re.findall(r"\btests/[\w/]+\.py\b", text) if not (ROOT / path).is_file()}
    names = set(re.findall(r"`(test_\w+)`", text)) - names_of_tests()

    assert files | names == set()


@functools.cache
def names_of_tests() -> set[str]:
    """Return the name of each test function."""
    return {
        name
        for path in (ROOT / "tests").rglob("*.py")
        for name in re.findall(r"^(?:async )?def (test_\w+)", path.read_text(), re.MULTILINE)
    }


def test_tree_of_modules_is_whole() -> None:
    """Who reads the architecture finds each module at the top of the package, and each folder of deploy."""
    tree = (ROOT / "docs" / "architecture.md").read_text().partition("```")[2].partition("```")[0]
    modules = {path.name for path in (ROOT / "worker").glob("*.py")} - {"__init__.py"}

    assert {name for name in modules if not re.search(rf"\b{re.escape(name)}", tree)} == set()
    assert {path.name for path in (ROOT / "deploy").iterdir() if path.name not in tree} == set()


def test_every_folder_of_tests_says_what_it_proves() -> None:
    """In the table for whoever contributes."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    folders = {path.parent.name for path in (ROOT / "tests").glob("*/test_*.py")}

    assert set(re.findall(r"^\| `tests/(\w+)` \|", text, re.MULTILINE)) == folders
