"""docs/operations.md: its names exist, and a worker holds what it says."""

import re
import signal
from pathlib import Path

from tests.conftest import StartWorker
from tests.support.database import Database, count
from tests.support.manifests import ROOT, container
from tests.support.workload import settled
from worker.settings import Settings

PAGE = (ROOT / "docs" / "operations.md").read_text()
HELD = "pg_stat_activity where datname = current_database() and application_name like 'pgmend%'"


def test_every_file_and_setting_that_the_page_names_exists() -> None:
    """Links lead somewhere, and settings are settings."""
    files = [
        *re.findall(r"\]\(([^)#]+)", PAGE),
        *(f"../{name}" for name in re.findall(r"`((?:tests|deploy|sql)/[\w./]+)`", PAGE)),
    ]

    assert [name for name in files if not (ROOT / "docs" / name).exists()] == []
    assert {name.lower() for name in re.findall(r"`PGMEND_([A-Z_]+)(?:=\w+)?`", PAGE)} - {"service_host"} <= set(
        Settings.model_fields
    )


def test_page_applies_in_an_order_that_works() -> None:
    """The namespace is there before secrets and job, an old job is gone before the new one, and workers start after it."""
    order = [
        "worker/namespace.yaml",
        "your-secrets.yaml",
        "delete job",
        "-k deploy/kubernetes/migrate",
        "wait --for",
        "kubernetes/worker ",
    ]
    places = [PAGE.index(step) for step in order]

    assert places == sorted(places)


async def test_worker_holds_what_the_manifests_say(database: Database, start: StartWorker) -> None:
    """Three connections for one consumer, and after a few thousand sign-ups no more memory than is asked for it."""
    connection = await database.connect(application_name="test")
    worker = await start(http_port=0, sweep_interval_seconds=3600)
    await worker.logged("sweep_finished")
    await worker.logged("listener_connected")
    await connection.execute("insert into public.users (full_name) select 'u' from generate_series(1, 5000)")
    await settled(connection)
    held = await count(connection, HELD)
    mebibytes = resident(worker.process.pid)
    worker.send(signal.SIGTERM)

    assert await worker.ended() == 0
    assert held == Settings.model_fields["consumers"].default + 2
    assert mebibytes < int(container()["resources"]["requests"]["memory"].removesuffix("Mi"))


def resident(process: int) -> float:
    """Return the resident memory of a process in MiB."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    assert found
    return int(found[1]) / 1024
