"""What several probes ask Prometheus for is asked once, and what comes of it is everybody's."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from fixtures.clients.http import HttpAnswer, Transport
from fixtures.clients.prometheus import Prometheus
from fixtures.monitoring.labels import labels_of_alerts
from fixtures.monitoring.rules import alert_rules, runbook_links
from fixtures.monitoring.series import rule_series
from fixtures.settings import Settings
from playbook.evidence import Unknown, bounded
from playbook.quantities import Span
from sandbox.polling import require, until
from tests.monitoring.conftest import target_of

if TYPE_CHECKING:
    from fixtures.target import Target

URL = "http://watcher"
ANSWERS = {
    "rules": {"groups": []},
    "config": {"yaml": "global: {external_labels: {environment: here}}"},
    "runtimeinfo": {"startTime": "2026-01-01T00:00:00Z", "lastConfigTime": "2026-01-01T00:00:00Z"},
    "query": {"result": [{"value": [0, "1767225600"]}]},
}


class Asked:
    """A Prometheus that answers when it is let, and remembers what it was asked for."""

    url = address = URL

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.released = threading.Event()
        self.paths: list[str] = []
        self._lock = threading.Lock()

    def require_asked(self) -> None:
        require(self.paths, "it has not been asked")

    def get(self, path: str) -> HttpAnswer:
        with self._lock:
            self.paths.append(path)
        self.released.wait(60)
        about = path.partition("?")[0].rpartition("/")[2]
        body = json.dumps({"status": "success", "data": ANSWERS[about]})
        return HttpAnswer(URL + path, Transport.ANSWERED, Span(0.1), self.status, body)


def _target(asked: Asked) -> Target:
    target = target_of(Settings(prometheus_url=URL))
    target.prometheus = Prometheus(asked)  # type: ignore[arg-type]
    return target


def test_probes_that_run_at_the_same_time_ask_for_the_rules_once() -> None:
    asked = Asked()
    target = _target(asked)
    with ThreadPoolExecutor() as pool:
        reading = [pool.submit(probe.probe.read, target) for probe in (alert_rules, runbook_links, rule_series)]
        labels = [pool.submit(labels_of_alerts, target.prometheus) for _ in range(2)]
        until(asked.require_asked)
        asked.released.set()
    assert [one.exception() for one in reading] == [None] * 3
    assert [one.result().untold for one in labels] == [None] * 2
    assert labels[0].result().sets["NoActiveWorkers"][0]["environment"] == "here"
    paths = [path for path in asked.paths if "/rules" in path or "/config" in path]
    assert len(paths) == len(set(paths)) == 3  # the rules, those of ours with what fires by them, the configuration


def test_an_error_is_shared_and_not_asked_for_again() -> None:
    asked = Asked(status=503)
    asked.released.set()
    prometheus = _target(asked).prometheus
    for _ in range(2):
        with pytest.raises(Unknown, match="Prometheus at http://watcher answered 503"):
            prometheus.alerting_rules()
    assert len(asked.paths) == 1


def test_who_waits_for_another_to_ask_does_so_no_longer_than_a_call_may_take() -> None:
    asked = Asked()
    prometheus = _target(asked).prometheus
    threading.Thread(target=prometheus.alerting_rules, daemon=True).start()
    until(asked.require_asked)
    with bounded(0.3), pytest.raises(Unknown, match="Prometheus at http://watcher did not answer in time"):
        prometheus.alerting_rules()
    asked.released.set()
