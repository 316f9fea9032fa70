"""The monitoring of a sandbox: real servers that scrape it, evaluate its rules and notify."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from sandbox.__main__ import main
from sandbox.breaking import break_stack, heal_stack, named
from sandbox.embedded import EmbeddedStack
from sandbox.faults import FAULTS, OF_MONITORING
from sandbox.monitoring import configuration
from sandbox.monitoring.stack import EXTRA, SHIPPED_RULES
from sandbox.polling import require, until
from sandbox.servers import SandboxError
from tests.conftest import needs

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.monitoring.stack import Monitoring

ALWAYS = """
groups:
  - name: extra
    rules: [{alert: AlwaysThere, expr: vector(1), labels: {severity: critical}}]
"""


@pytest.fixture
def monitoring(watched: EmbeddedStack) -> Monitoring:
    return watched.monitoring


def test_it_scrapes_every_job_and_evaluates_a_rule_for_each_alert(monitoring: Monitoring) -> None:
    def seen() -> None:
        jobs, health = monitoring.jobs(), [rule["health"] for rule in monitoring.rules()]
        require(jobs == dict.fromkeys(configuration.JOBS, "up"), f"it scrapes {jobs}")
        require(health == ["ok"] * 11, f"its rules are {health}")

    until(seen)


def test_nothing_fires(monitoring: Monitoring) -> None:
    def none() -> None:
        alerts = monitoring.query("ALERTS")
        require(alerts == {}, f"it has {alerts}")

    until(none)


def test_every_metric_of_the_rules_has_a_series(monitoring: Monitoring) -> None:
    metrics = set(re.findall(r"\b(?:ordinaut|node|pg|orchestrator|up)_?\w*", " ".join(
        re.sub(r'"[^"]*"', "", rule["query"]) for rule in monitoring.rules()
    )))  # fmt: skip
    assert len(metrics) > 11
    assert [metric for metric in metrics if not monitoring.query(f"count({metric})")] == []


def test_an_alert_that_fires_notifies_on_call(monitoring: Monitoring) -> None:
    def notified() -> dict[str, Any]:
        lines = monitoring.notifications.read_text().splitlines() if monitoring.notifications.exists() else []
        ours = [line for line in lines if "AlwaysThere" in line]  # others may come from earlier tests
        require(ours, "no notification came")
        notification: dict[str, Any] = json.loads(ours[-1])
        return notification

    monitoring.write_rules(EXTRA, ALWAYS)
    try:
        notification = until(notified, 60)
    finally:
        monitoring.write_rules(EXTRA, "")
    assert notification["receiver"] == "critical-alerts"
    assert [alert["labels"]["alertname"] for alert in notification["alerts"]] == ["AlwaysThere"]


def test_with_the_database_stopped_its_exporter_is_up_and_pg_up_is_0(watched: EmbeddedStack) -> None:
    def seen() -> None:
        values = watched.monitoring.value('up{job="postgres"}'), watched.monitoring.value("pg_up")
        require(values == (1, 0), f"up and pg_up are {values}")

    break_stack(watched, FAULTS["postgres-stopped"])
    until(seen, 20)
    heal_stack(watched)


def test_grafana_queries_prometheus(monitoring: Monitoring) -> None:
    source = next(one for one in monitoring.ask("grafana", "/api/datasources") if one["type"] == "prometheus")
    (found,) = monitoring.ask("grafana", "/api/search", type="dash-db")
    dashboard = monitoring.ask("grafana", f"/api/dashboards/uid/{found['uid']}")["dashboard"]
    for panel in dashboard["panels"][:5]:  # the others are quiet in health, or ask for logs
        path = f"/api/datasources/proxy/uid/{source['uid']}/api/v1/query"
        assert monitoring.ask("grafana", path, query=panel["targets"][0]["expr"])["data"]["result"], panel["title"]


def test_the_runbooks_are_where_the_rules_link(monitoring: Monitoring) -> None:
    for rule in monitoring.rules():
        page = monitoring.read("oncall", rule["annotations"]["runbook_url"].partition(monitoring.url("oncall"))[2])
        assert page.startswith(f"# {rule['name']}\n")


def test_a_fault_that_was_interrupted_before_it_began_heals(watched: EmbeddedStack) -> None:
    of_each_alert = {fault.expect.alert: name for name, fault in OF_MONITORING.items()}
    watched.state.broken += of_each_alert.values()
    assert heal_stack(watched) == [*of_each_alert.values()][::-1]


def test_a_sandbox_without_monitoring_says_so(running: EmbeddedStack) -> None:
    with pytest.raises(SandboxError, match="up --monitoring"):
        _ = running.monitoring
    with pytest.raises(SandboxError, match="rule-missing takes a sandbox with monitoring"):
        named("rule-missing")


def test_the_packages_that_are_missing_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["up", "--monitoring", "--dir", str(tmp_path / "sandbox")]) == 1
    packages = "prometheus prometheus-alertmanager prometheus-postgres-exporter prometheus-redis-exporter"
    assert f"apt-get install {packages} prometheus-node-exporter" in capsys.readouterr().err
    assert not (tmp_path / "sandbox").exists()


def test_down_leaves_no_process(tmp_path: Path) -> None:
    needs("prometheus")
    stack = EmbeddedStack.up(tmp_path / "sandbox", monitoring=True)
    pids = [marked.pid for marked in stack.state.processes.values()]
    assert len(pids) == 13
    assert all(psutil.pid_exists(pid) for pid in pids)
    stack.down()
    assert [pid for pid in pids if psutil.pid_exists(pid)] == []
    assert not stack.folder.exists()


def test_promtool_takes_the_shipped_rules() -> None:
    command = [needs("promtool"), "check", "rules", str(SHIPPED_RULES)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
