"""compose.yaml: what starts in which order, how it stops, and who watches."""

import pytest

from tests.support.manifests import ROOT, compose, documents
from worker.settings import load

SERVICES = compose()["services"]


def test_settings_of_the_services_are_settings_of_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """What compose.yaml sets is accepted, and what it does not override is the default."""
    for name, value in SERVICES["worker"]["environment"].items():
        monkeypatch.setenv(name, value.replace("${POSTGRES_PASSWORD:-postgres}", "postgres"))

    assert load().http_port == 8080
    assert SERVICES["migrate"]["environment"].items() <= SERVICES["worker"]["environment"].items()


def test_workers_start_after_the_migration_and_it_after_the_server() -> None:
    """No worker meets a database without pgmend, and no migration a server that does not answer yet."""
    assert SERVICES["worker"]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
    assert SERVICES["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert (SERVICES["migrate"]["command"], SERVICES["worker"]["command"]) == (["migrate"], ["run"])


def test_engine_waits_longer_than_the_worker_takes_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker ends by itself before it is killed."""
    monkeypatch.setenv("PGMEND_DATABASE_URL", "postgresql://")
    monkeypatch.setenv("PGMEND_GRACE_PERIOD_SECONDS", SERVICES["worker"]["environment"]["PGMEND_GRACE_PERIOD_SECONDS"])

    assert float(SERVICES["worker"]["stop_grace_period"].removesuffix("s")) >= load().grace_period_seconds + 10


@pytest.mark.parametrize("name", ["migrate", "worker"])
def test_containers_of_pgmend_have_no_right(name: str) -> None:
    """A read-only root file system, no capability, no way to more rights, and no port open to the network."""
    service = SERVICES[name]

    assert (service["read_only"], service["cap_drop"], service["security_opt"]) == (True, ["ALL"], ["no-new-privileges:true"])
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


def test_prometheus_scrapes_every_worker_where_it_serves() -> None:
    """The configuration beside the alerts looks for the service by name and port, and is mounted where it is read."""
    (configuration,) = documents(ROOT / "deploy" / "prometheus" / "compose.yaml")
    (found,) = configuration["scrape_configs"][0]["dns_sd_configs"]

    assert found["names"] == ["worker"]
    assert str(found["port"]) == SERVICES["worker"]["environment"]["PGMEND_HTTP_PORT"]
    assert "./deploy/prometheus:/etc/prometheus:ro" in SERVICES["prometheus"]["volumes"]
    assert "--config.file=/etc/prometheus/compose.yaml" in SERVICES["prometheus"]["command"]
