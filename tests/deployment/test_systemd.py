"""The systemd unit, judged by systemd's own tools where they are installed."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.manifests import ROOT, unit
from worker.errors import SettingsInvalidError
from worker.settings import load

UNIT = ROOT / "deploy" / "systemd" / "pgmend.service"
HIGHEST_EXPOSURE = 1.5
"""Of 10, as systemd-analyze counts; most services that ship with a distribution have more than 9."""

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze")


@needs_systemd
def test_unit_is_understood_by_systemd(tmp_path: Path) -> None:
    """No name is misspelled and no value is wrong."""
    unit_here = tmp_path / UNIT.name
    unit_here.write_text(UNIT.read_text().replace("/opt/pgmend/bin/pgmend", "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", unit_here], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr.replace(str(tmp_path), "")) == (0, "")


@needs_systemd
def test_unit_exposes_next_to_nothing() -> None:
    """Systemd's own review of the sandbox finds little left to take away."""
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", UNIT], capture_output=True, text=True, check=False
    )
    if "offline" in done.stderr:
        pytest.skip("this systemd-analyze judges only units that are loaded")
    found = re.search(r"Overall exposure level for pgmend.service: ([\d.]+)", done.stdout)

    assert found, done.stderr
    assert float(found[1]) <= HIGHEST_EXPOSURE


def test_systemd_waits_longer_than_the_worker_takes_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """The unit's settings are the worker's, and its patience exceeds the grace period."""
    monkeypatch.setenv("PGMEND_DATABASE_URL", "postgresql://")
    for assignment in unit()["Environment"][0].split():
        monkeypatch.setenv(*assignment.split("=", 1))

    assert float(unit()["TimeoutStopSec"][0]) >= load().grace_period_seconds + 10
    assert "User" not in unit()


def test_wrong_setting_is_not_tried_again() -> None:
    """A refusal that only a person can lift ends the restarts; any other failure is tried again after seconds."""
    statuses = unit()["RestartPreventExitStatus"][0].split()

    assert statuses == ["2", str(SettingsInvalidError.exit_code)]
    assert (unit()["Restart"], unit()["RestartSec"]) == (["on-failure"], ["5"])
