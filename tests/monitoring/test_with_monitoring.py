"""What monitoring adds to a run: Prometheus' figures in the verdicts, its rules in the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fixtures.api.latency import BUCKETS
from sandbox.breaking import break_stack
from sandbox.faults import FAULTS, OF_MONITORING
from sandbox.http import CLIENT
from sandbox.polling import require, until
from sandbox.target import FILE
from tests.monitoring.conftest import judged_once_settled

if TYPE_CHECKING:
    from sandbox.embedded import EmbeddedStack
    from tests.conftest import Judge

WATCHERS = {"prometheus", "alertmanager", "amtool", "grafana"}


def test_severity_0_does_not_ask_monitoring(watched: EmbeddedStack, judge: Judge) -> None:
    everything = judged_once_settled(judge, watched.folder / FILE)
    sev0 = judge("-m", "sev0", target=watched.folder / FILE)
    assert (sev0.status, everything.status) == (0, 0), everything.output
    assert sev0.results is not None
    assert everything.results is not None
    assert WATCHERS & set(everything.results["cost"]) == {"prometheus", "alertmanager", "grafana"}
    assert not WATCHERS & set(sev0.results["cost"])


def test_latency_is_measured_by_prometheus(watched: EmbeddedStack, judge: Judge) -> None:
    def asked() -> None:
        CLIENT.get(f"{watched.api_url}/tasks/", timeout=2)
        require(watched.monitoring.query(BUCKETS), "Prometheus has no series of the API's response times")

    until(asked, 20, every=0.5)
    seen = judge("-k", "high_api_latency", target=watched.folder / FILE)
    assert "Prometheus, 5 min" in seen.alert("HighAPILatency")["measured"]["text"]


def test_a_deep_queue_is_pending_since_prometheus_saw_it(watched: EmbeddedStack, judge: Judge) -> None:
    break_stack(watched, FAULTS["queue-deep"])
    until(lambda: _is_pending(watched), 20)
    seen = judge("--honor-for", "-k", "high_queue_depth", target=watched.folder / FILE)
    alert = seen.alert("HighQueueDepth")
    assert (alert["state"], alert["suppressed"]["by"]) == ("pending", "Prometheus")
    watched.monitoring.prometheus.stop()
    try:
        alone = judge("--honor-for", "-k", "high_queue_depth", target=watched.folder / FILE).alert("HighQueueDepth")
    finally:
        watched.monitoring.prometheus.start()
    assert (alone["state"], alone["suppressed"]["by"]) == ("pending", "earlier runs")


def _is_pending(stack: EmbeddedStack) -> None:
    states = {
        alert["labels"]["alertname"]: alert["state"] for alert in stack.monitoring.prometheus_api("alerts")["alerts"]
    }
    require(states.get("HighQueueDepth") == "pending", f"Prometheus has {states}")


def test_the_report_names_shipped_rules_that_are_missing_differ_or_cannot_fire(
    watched: EmbeddedStack, judge: Judge
) -> None:
    break_stack(watched, OF_MONITORING["rules-as-shipped"])
    seen = judged_once_settled(judge, watched.folder / FILE)
    assert seen.folder is not None
    report = (seen.folder / "report.html").read_text()
    for says in (
        "no rule: SchedulerOffline, MemoryUsageCritical, BackupFailed",
        "HighAPILatency: expression",
        "LowTaskThroughput: expression",
        "`for` 2 min, ours none",
        "`orchestrator_active_workers` (NoActiveWorkers)",
        "`orchestrator_due_work_queue_depth` (HighQueueDepth)",
    ):
        assert says in report, seen.output
