"""What stands in deploy/, read as data."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
KUBERNETES = ROOT / "deploy" / "kubernetes"

Manifest = dict[str, Any]


def documents(path: Path) -> list[Manifest]:
    """Return the documents of a file."""
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


def everything() -> Iterator[tuple[str, Manifest]]:
    """Yield every document below deploy/kubernetes, with a name to tell it by."""
    for path in sorted(KUBERNETES.rglob("*.yaml")):
        for document in documents(path):
            yield f"{path.relative_to(KUBERNETES)} {document['kind']}", document


def the(kind: str, folder: str = "worker") -> Manifest:
    """Return the only document of a kind in a folder of deploy/kubernetes."""
    (found,) = (it for path in (KUBERNETES / folder).glob("*.yaml") for it in documents(path) if it["kind"] == kind)
    return found


def pod(folder: str = "worker") -> Manifest:
    """Return what the deployment, or the job of the migration, says of a pod."""
    spec: Manifest = the("Job" if folder == "migrate" else "Deployment", folder)["spec"]["template"]["spec"]
    return spec


def container(folder: str = "worker") -> Manifest:
    """Return its one container."""
    (only,) = pod(folder)["containers"]
    found: Manifest = only
    return found


def settings() -> dict[str, str]:
    """Return the settings that the deployment gives to a worker, the address of the database left out."""
    (generated,) = the("Kustomization")["configMapGenerator"]
    return dict(line.split("=", 1) for line in generated["literals"])


def compose() -> Manifest:
    """Return compose.yaml."""
    (whole,) = documents(ROOT / "compose.yaml")
    return whole


def unit() -> dict[str, list[str]]:
    """Return the settings of the systemd unit, each with its values in order."""
    found: dict[str, list[str]] = {}
    for line in (ROOT / "deploy" / "systemd" / "pgmend.service").read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found
