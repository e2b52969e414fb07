"""What is in the image, and what is not."""

import importlib.util
import stat
from collections.abc import Iterator
from pathlib import Path

from tests.support.container import Image
from worker import __version__
from worker.store.migrations import all_migrations
from worker.store.statements import sql_directory


def packages(image: Image) -> Path:
    """Return where the packages lie."""
    (found,) = image.root.glob("opt/pgmend/lib/python3*/site-packages")
    return found


def files(image: Image) -> Iterator[Path]:
    """Yield every file of the virtual environment, links not followed."""
    return (path for path in (image.root / "opt/pgmend").rglob("*") if not path.is_symlink())


def test_image_names_a_user_that_is_not_root_and_a_signal_that_is_handled(image: Image) -> None:
    """An orchestrator can verify by number that it is not root, and stops it with the signal that means a graceful stop."""
    user, _, group = image.config["User"].partition(":")

    assert int(user) > 0
    assert int(group) > 0
    assert image.config["StopSignal"] == "SIGTERM"
    assert (image.config["Entrypoint"], image.config["Cmd"]) == (["pgmend"], ["run"])
    assert image.config["Healthcheck"]["Test"] == ["CMD", "pgmend", "check"]


def test_labels_say_version_and_licence(image: Image) -> None:
    """Whoever finds the image in a registry learns what it is."""
    labels = image.config["Labels"]

    assert labels["org.opencontainers.image.version"] == __version__
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert labels["org.opencontainers.image.revision"] != "unknown"


def test_image_carries_the_sql_and_no_tools(image: Image) -> None:
    """Every migration and statement is inside; pip, the private Postgres of the demo and the tests are not."""
    inside = packages(image) / "worker"
    statements = {path.relative_to(sql_directory()) for path in sql_directory().rglob("*.sql")}

    assert {path.relative_to(inside / "sql") for path in inside.rglob("*.sql")} == statements
    assert len(list((inside / "sql" / "migrations").iterdir())) == len(all_migrations())
    assert not (inside / "embedded").exists()
    assert not [*packages(image).glob("pip*"), *packages(image).glob("pytest*"), *packages(image).glob("hatchling*")]


def test_nothing_in_it_can_be_changed_by_who_runs_it(image: Image) -> None:
    """No file belongs to the user of the container or is writable for group or others, and none gives a right by its bits."""
    modes = [path.stat() for path in files(image)]

    assert len(modes) > 1000
    assert {mode.st_uid for mode in modes} == {0}
    assert not [mode for mode in modes if mode.st_mode & (stat.S_IWGRP | stat.S_IWOTH | stat.S_ISUID | stat.S_ISGID)]


def test_bytecode_is_there_and_is_never_compared_with_its_source(image: Image) -> None:
    """A start on a read-only file system compiles nothing: each module has bytecode of the kind that is taken as it is."""
    modules = [path for path in packages(image).glob("worker/**/*.py") if path.stat().st_size]
    compiled = [next(path.parent.glob(f"__pycache__/{path.stem}.*.pyc")).read_bytes() for path in modules]

    assert len(modules) > 100
    assert {int.from_bytes(code[4:8], "little") for code in compiled} == {0b01}  # a hash, unchecked: PEP 552
    assert importlib.util.MAGIC_NUMBER[2:] == compiled[0][2:4] == b"\r\n"
