"""The manifests: valid by the published schemas, and in agreement with each other and with the worker."""

import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest

from tests.support.manifests import KUBERNETES, ROOT, Manifest, container, documents, everything, pod, settings, the
from worker import __version__
from worker.errors import SettingsInvalidError
from worker.settings import Settings, load

VERSIONS = ("1.29.0", "1.33.0", kubernetes_validate.latest_version())
FOREIGN = re.compile(r"keda\.sh|monitoring\.coreos\.com|kustomize\.config\.k8s\.io")
FOLDERS = ("worker", "migrate")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("name", "manifest"), tuple(everything()), ids=lambda it: it if isinstance(it, str) else "")
def test_manifests_are_valid_to_the_letter(name: str, manifest: Manifest, version: str) -> None:
    """Each is accepted by the schemas of the oldest and the newest Kubernetes that we name, unknown fields refused."""
    if FOREIGN.search(manifest["apiVersion"]):
        assert manifest["kind"] in {"Kustomization", "ScaledObject", "TriggerAuthentication", "PodMonitor"}, name
    else:
        assert kubernetes_validate.validate(manifest, version.rpartition(".")[0], strict=True)


@pytest.mark.parametrize("folder", ["worker", "migrate", "monitoring", "scaling"])
def test_kustomizations_name_every_file_beside_them(folder: str) -> None:
    """No manifest is forgotten, none is missing, and none lies above its kustomization, which kustomize would call a cycle."""
    named = set(the("Kustomization", folder)["resources"]) - {"../worker"}

    assert named == {path.name for path in (KUBERNETES / folder).glob("*.yaml")} - {"kustomization.yaml"}


@pytest.mark.parametrize("folder", FOLDERS)
def test_pods_keep_to_the_restricted_standard(folder: str) -> None:
    """No root, no capability, no way to more rights, nothing writable, no token of the cluster."""
    inside = container(folder)["securityContext"]

    assert pod(folder)["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    assert inside == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod(folder)["automountServiceAccountToken"] is False
    assert "volumes" not in pod(folder)
    assert the("Namespace")["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_platform_waits_longer_than_the_worker_takes_to_stop() -> None:
    """The worker ends by itself before it is killed, with time to say so."""
    grace = float(settings()["PGMEND_GRACE_PERIOD_SECONDS"])

    assert grace == Settings.model_fields["grace_period_seconds"].default
    assert pod()["terminationGracePeriodSeconds"] >= grace + 10


def test_start_is_given_more_time_than_the_worker_gives_itself() -> None:
    """A worker that waits for its database ends by itself and says why, rather than being killed by the startup probe."""
    probe = container()["startupProbe"]
    gives_up = float(settings()["PGMEND_STARTUP_TIMEOUT_SECONDS"])

    assert (
        probe["periodSeconds"] * probe["failureThreshold"] > gives_up + Settings.model_fields["connect_timeout_seconds"].default
    )


def test_probes_ask_for_what_the_worker_serves() -> None:
    """Paths and the port are those of the worker, which listens where the kubelet reaches it."""
    (port,) = container()["ports"]
    probes = {name: container()[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")}

    assert {name: probe["path"] for name, probe in probes.items()} == {
        "startup": "/startupz",
        "liveness": "/livez",
        "readiness": "/readyz",
    }
    assert {probe["port"] for probe in probes.values()} == {port["name"]}
    assert str(port["containerPort"]) == settings()["PGMEND_HTTP_PORT"]
    assert settings()["PGMEND_HTTP_HOST"] == "0.0.0.0"  # noqa: S104 - inside a pod


def test_settings_of_the_pods_are_settings_of_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the deployment sets is accepted."""
    for name, value in settings().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PGMEND_DATABASE_URL", example_url("pgmend-worker"))

    assert load().http_port == 8080
    assert load().log_format == "json"


def test_variables_of_a_service_would_be_refused_and_are_kept_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The service is named pgmend, so its variables would look like settings: no pod gets them."""
    name = f"{the('Service')['metadata']['name'].upper()}_SERVICE_HOST"
    monkeypatch.setenv("PGMEND_DATABASE_URL", "postgresql://")
    monkeypatch.setenv(name, "10.0.0.1")
    with pytest.raises(SettingsInvalidError, match=f"there is no setting {name}"):
        load()

    assert [pod(folder)["enableServiceLinks"] for folder in FOLDERS] == [False, False]


def test_image_is_one_and_has_the_version_of_the_package() -> None:
    """Worker and migration run the same image, whose tag is the package's version."""
    images = [the("Kustomization", folder)["images"] for folder in FOLDERS]

    assert images[0] == images[1]
    assert images[0][0]["newTag"] == __version__
    assert {container(folder)["image"] for folder in FOLDERS} == {images[0][0]["name"]}


def test_selectors_find_the_workers_and_no_migration() -> None:
    """Deployment, budget, service, policy and monitor mean the same pods; only the policy holds for the migration as well."""
    labels = the("Deployment")["spec"]["template"]["metadata"]["labels"]
    selectors = [
        the("Deployment")["spec"]["selector"]["matchLabels"],
        the("PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
        the("Service")["spec"]["selector"],
        the("PodMonitor", "monitoring")["spec"]["selector"]["matchLabels"],
        pod()["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"],
    ]

    assert selectors == [labels] * len(selectors)
    assert the("Job", "migrate")["spec"]["template"]["metadata"]["labels"] != labels
    assert the("NetworkPolicy")["spec"]["podSelector"]["matchLabels"] == {"app.kubernetes.io/name": "pgmend"}


def test_monitor_names_the_job_that_the_alerts_ask_for() -> None:
    """The label of the pods that becomes the job has the value that the rules compare it with."""
    label = the("PodMonitor", "monitoring")["spec"]["jobLabel"]
    asked = re.findall(r'job="([^"]+)"', (ROOT / "deploy" / "prometheus" / "alerts.yaml").read_text())

    assert set(asked) == {the("Deployment")["spec"]["template"]["metadata"]["labels"][label]}


def test_node_can_be_drained_while_no_worker_is_ready() -> None:
    """Readiness speaks of the database, so all workers may be unready at once: that keeps no node from being drained."""
    budget = the("PodDisruptionBudget")["spec"]

    assert budget["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
    assert budget["maxUnavailable"] < the("Deployment")["spec"]["replicas"]
    assert the("Service")["spec"]["publishNotReadyAddresses"] is True


def test_secrets_are_examples_that_nothing_applies() -> None:
    """Each secret that a manifest reads has an example, with no password, in a file that no kustomization names."""
    examples = {it["metadata"]["name"] for it in documents(KUBERNETES / "secrets.example.yaml")}
    read = set(re.findall(r"secretKeyRef:\s+name: (\S+)|secretTargetRef:\s+- parameter: connection\s+name: (\S+)", all_text()))

    assert examples == {name for names in read for name in names if name}
    assert all(":PASSWORD@" in it["stringData"]["url"] for it in documents(KUBERNETES / "secrets.example.yaml"))
    assert "secrets.example" not in "".join(path.read_text() for path in KUBERNETES.rglob("kustomization.yaml"))


def test_scaler_never_takes_the_last_worker_and_stands_alone() -> None:
    """Sweep and doorbell need a worker that is there, and the number that KEDA keeps is set by nobody else."""
    scaled = the("ScaledObject", "scaling")["spec"]
    (patch,) = the("Kustomization", "scaling")["patches"]

    assert 1 <= scaled["minReplicaCount"] < scaled["maxReplicaCount"]
    assert scaled["scaleTargetRef"]["name"] == the("Deployment")["metadata"]["name"]
    assert "path: /spec/replicas" in patch["patch"]


def example_url(secret: str) -> str:
    """Return the address that the example has for a secret."""
    (found,) = (it for it in documents(KUBERNETES / "secrets.example.yaml") if it["metadata"]["name"] == secret)
    return str(found["stringData"]["url"])


def all_text(folder: Path = KUBERNETES) -> Any:
    """Return every manifest as text."""
    return "\n".join(path.read_text() for path in folder.rglob("*.yaml"))
