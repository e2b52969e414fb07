"""What a platform starts: the Procfile's processes, with the settings of .env.example."""

import re
import signal
import sys
from pathlib import Path

import pytest

from tests.conftest import StartWorker
from tests.support.database import Database, count
from worker.settings import Settings

ROOT = Path(__file__).parents[2]
PROCFILE = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())


def test_example_environment_names_settings_that_exist() -> None:
    """Whoever copies .env.example starts a worker, not an error."""
    names = re.findall(r"^PGMEND_(\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)

    assert {name.lower() for name in names} <= set(Settings.model_fields)
    assert "DATABASE_URL" in names


def test_procfile_releases_by_migration_and_hands_signals_through() -> None:
    """The shell that starts the worker gives way to it, or it would keep SIGTERM for itself."""
    assert PROCFILE == {"release": "pgmend migrate", "worker": "exec pgmend run"}


async def test_worker_of_the_procfile_stops_gracefully(
    database: Database, start: StartWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Started as a platform starts it, through a shell, the worker ends with status 0 at SIGTERM."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:/usr/bin:/bin")
    worker = await start("/bin/sh", "-c", PROCFILE["worker"])
    await worker.logged("listener_connected")
    worker.send(signal.SIGTERM)

    assert await worker.ended() == 0
    assert await count(await database.connect(), "pgmend.workers where stopped_at is null") == 0
