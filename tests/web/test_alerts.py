"""The alerts: each has a runbook, names what exists, passes promtool, and fires in a real Prometheus when its cause is real."""

import json
import re
import shutil
import subprocess
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.broken import CONDITION
from tests.support.catalogue import described, series
from tests.support.database import sign_up
from tests.support.prometheus import Prometheus
from tests.support.proxy import Proxy
from tests.support.waiting import eventually
from tests.support.workload import TOO_LONG, no_grace
from tests.web.conftest import Serve
from worker.commands.parser import make_parser
from worker.counting import count as count_integrity
from worker.pipeline import Path as EventPath
from worker.pipeline import turn
from worker.store.connection import Connection

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy" / "prometheus" / "alerts.yaml"
ALERTS: list[dict[str, Any]] = [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]
NAMES = {alert["alert"] for alert in ALERTS}

OLD = """
    update pgmend.user_counts set overdue_since = overdue_since - interval '1 hour', counted_at = counted_at - interval '2 hours';
    update pgmend.orphan_counts set orphans_since = orphans_since - interval '2 hours';
    select pgmend.pause_source(1, 'a person looks')
"""


def used_in(expression: str) -> set[str]:
    """Return the names of series in a query: words that are neither functions, keywords, labels, values nor durations."""
    bare = re.sub(r'"[^"]*"|\{[^}]*\}|\[[^]]*\]|\b(?:by|on|without) \([^)]*\)', " ", expression)
    words = re.findall(r"\b[a-z_][a-z0-9_]*\b(?!\s*\()", bare)
    return set(words) - {"by", "or", "and", "unless", "on", "sum", "max", "min", "count"}


def queries_of_the_dashboard() -> list[str]:
    """Return every query of the dashboard."""
    dashboard = json.loads((ROOT / "deploy" / "grafana" / "pgmend.json").read_text())
    return [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]


def anchors(document: str) -> set[str]:
    """Return the anchors of a document's headings."""
    return {
        heading.lower().replace(" ", "-") for heading in re.findall(r"^## (.+)$", (ROOT / document).read_text(), re.MULTILINE)
    }


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_alert_says_how_bad_it_is_and_what_to_run(alert: dict[str, Any]) -> None:
    """Severity, a sentence, the section of the runbook, and a command that exists."""
    notes = alert["annotations"]
    document, _, anchor = notes["runbook_url"].partition("#")
    command = re.match(r"pgmend (\S+)", notes["command"])

    assert alert["labels"]["severity"] in {"critical", "warning"}
    assert notes["summary"]
    assert notes["description"]
    assert anchor == alert["alert"].lower()
    assert anchor in anchors(document)
    assert command is not None
    assert command[1].rstrip(",") in commands()


def commands() -> set[str]:
    """Return the commands of the parser."""
    (action,) = (it for it in make_parser()._actions if it.dest == "command")
    assert isinstance(action.choices, dict)
    return {name for name, parser in action.choices.items() if isinstance(parser, ArgumentParser)}


def test_runbook_has_no_section_without_an_alert() -> None:
    """An alert that goes takes its section with it."""
    assert anchors("docs/runbook.md") == {name.lower() for name in NAMES}


@pytest.mark.parametrize("query", [*(alert["expr"] for alert in ALERTS), *queries_of_the_dashboard()])
def test_query_names_series_that_are_exported(query: str) -> None:
    """Alerts and dashboard ask for nothing that no worker shows."""
    assert used_in(query)
    assert used_in(query) <= series()


def test_dashboard_shows_every_metric() -> None:
    """What is worth exporting is worth a look; what only names things is looked up elsewhere."""
    shown = {name for query in queries_of_the_dashboard() for name in used_in(query)}
    parts = {re.sub(r"_(bucket|sum|count)$", "", name) for name in shown}

    assert {name for name, *_ in described()} - shown - parts == {"pgmend_source_info", "pgmend_users"}


def test_table_of_metrics_is_the_registry() -> None:
    """Name, type, labels and sentence, in order."""
    text = (ROOT / "docs" / "metrics.md").read_text().partition("\n## Metrics\n")[2]
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    wanted = [
        f"| `{name}` | {kind} | {', '.join(f'`{label}`' for label in labels)} | {says} |".replace("|  |", "| |")
        for name, kind, labels, says in described()
    ]

    assert rows == wanted


def test_metrics_are_named_by_the_conventions_of_prometheus() -> None:
    """A prefix, base units in the name, _total for counters alone."""
    units = {"seconds", "total", "ratio", "info"}
    for name, kind, _, says in described():
        assert re.fullmatch(r"pgmend(_[a-z]+)+", name)
        assert re.search(r"[^.]$", says)
        assert name.endswith("_total") == (kind == "counter")
        assert not re.search(r"milli|minute|percent|_ms\b", name)
        assert ("age" in name or "duration" in name or "time_to" in name) <= (name.rpartition("_")[2] in units)


def promtool(*arguments: str) -> None:
    """Run promtool on the folder of the rules."""
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not installed (Debian and Ubuntu: apt-get install prometheus)")
    done = subprocess.run([program, *arguments], cwd=RULES.parent, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "arguments",
    [("check", "rules", "alerts.yaml"), ("check", "config", "prometheus.yaml"), ("test", "rules", "alerts_test.yaml")],
    ids=" ".join,
)
def test_promtool_accepts(arguments: tuple[str, ...]) -> None:
    """The rules, the example of a configuration, and the tests of the rules."""
    promtool(*arguments)


def test_promtool_is_asked_about_every_alert() -> None:
    """No alert is without a case in which it fires."""
    cases = yaml.safe_load((RULES.parent / "alerts_test.yaml").read_text())["tests"]
    fires = {it["alertname"] for case in cases for it in case.get("alert_rule_test", []) if it["exp_alerts"]}

    assert fires == NAMES


@pytest.fixture
def prometheus(tmp_path: Path) -> Prometheus:
    """A Prometheus with our rules."""
    return Prometheus.installed(tmp_path, RULES)


@pytest.fixture
async def ill(connection: Connection, path: EventPath) -> Connection:
    """The application's connection, after one user stayed without a profile and one lead was written that leads nowhere."""
    await no_grace(connection)
    await sign_up(connection, "poison@x", TOO_LONG)
    await turn(path)
    await connection.execute(
        "set session_replication_role = replica;"
        "insert into public.leads (user_id, source) values (gen_random_uuid(), 'test');"
        "reset session_replication_role"
    )
    return connection


async def test_every_alert_fires_when_its_cause_is_real(
    ill: Connection, serve: Serve, proxy: Proxy, proxied_url: str, prometheus: Prometheus
) -> None:
    """A real Prometheus scrapes a real worker whose database is made ill; nobody waits for the ``for`` of a rule here."""
    proxy.drops_notifications = True
    worker, client = await serve(url=proxied_url, sweep_interval_seconds=3600)
    async with prometheus.scraping(client.port):
        await prometheus.has("pgmend_users_overdue == 1 and on() pgmend_orphans == 1")
        await flood(ill)
        await ill.execute(OLD)
        await sign_up(ill)
        await ill.execute("update pgmend.express_events set created_at = created_at - interval '1 hour'")
        await ill.execute(CONDITION)
        await count_integrity(ill)
        await prometheus.fires(NAMES - {"PgmendWorkerAbsent", "PgmendDatabaseUnseen"})
        proxy.blackhole()
        await prometheus.fires({"PgmendDatabaseUnseen"})
        await worker.kill()
        await prometheus.fires({"PgmendWorkerAbsent"})


async def flood(connection: Connection) -> None:
    """Report four hundred orders for users who do not exist, and wait until each is a dead letter."""
    await connection.execute(
        """
        select pgmend.report_failed_insert('public.orders', jsonb_build_object('user_id', gen_random_uuid(), 'amount', 1))
        from generate_series(1, 400)
        """
    )

    async def is_over() -> bool:
        return bool(await connection.fetchval("select count(*) = 400 from pgmend.dead_letters where verdict = 'unknown_user'"))

    await eventually(is_over)
