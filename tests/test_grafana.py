"""What a Grafana with many dashboards, slow or broken data sources is asked, and what is made of its answers."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs

import pytest

from fixtures.clients.http import HttpAnswer, Transport
from fixtures.monitoring.dashboards import MOST_DASHBOARDS, MOST_PANELS, Dashboards, Grafana, dashboards
from fixtures.settings import Settings
from playbook.quantities import Span
from tests.monitoring.conftest import target_of

SOURCES = [
    {"uid": "logs", "name": "Loki", "type": "loki"},
    {"uid": "ours", "name": "Prometheus", "type": "prometheus", "isDefault": True},
]
NOTHING, SOMETHING = ('{"status":"success","data":{"result":' + result + "}}" for result in ("[]", "[1]"))
TIMED_OUT = HttpAnswer("http://grafana", Transport.TIMED_OUT, Span(3))


def answered(body: str, status: int = 200) -> HttpAnswer:
    return HttpAnswer("http://grafana", Transport.ANSWERED, Span(0.01), status, body)


class Stand(Grafana):
    """A Grafana with so many dashboards of these panels; what its Prometheus answers, by expression."""

    def __init__(self, panels: list[dict[str, Any]], number: int = 1, **answers: HttpAnswer) -> None:
        self.asked: list[str] = []
        self._panels = panels
        self._number = number
        self._answers = {"1": answered(SOMETHING)} | answers

    def get(self, path: str) -> HttpAnswer:
        self.asked.append(path)
        known = {
            "/api/health": {"database": "ok"},
            "/api/datasources": SOURCES,
            "/api/search?type=dash-db": [{"uid": str(n)} for n in range(self._number)],
        }
        return answered(json.dumps(known.get(path, {"dashboard": {"title": "All", "panels": self._panels}})))

    def query(self, source: str, query: str) -> HttpAnswer:
        assert source == "ours"
        [expression] = parse_qs(query)["query"]
        self.asked.append(expression)
        return self._answers.get(expression, answered(NOTHING))


def panel(expression: str, source: str | None = None) -> dict[str, Any]:
    return {"title": expression, "targets": [{"expr": expression, "datasource": source and {"uid": source}}]}


def shown(grafana: Grafana) -> Dashboards:
    target = target_of(Settings(grafana_url="http://grafana"))
    target.grafana = grafana
    found: Dashboards = dashboards.probe.read(target)
    return found


def test_a_panel_of_another_data_source_is_not_asked_for() -> None:
    grafana = Stand([panel('{app="api"} |= "ERROR"', "logs"), panel("up", "ours"), panel("up")], up=answered(SOMETHING))
    assert shown(grafana) == Dashboards((), 2, ())


@pytest.mark.parametrize("expression", ['ALERTS{alertstate="firing"}', 'rate(hits{code=~"5.."}[5m])', "hits > 9"])
def test_a_panel_that_is_empty_in_health_has_data_where_its_metric_was_there(expression: str) -> None:
    grafana = Stand([panel(expression)], 1, **{"count(last_over_time(hits[7d]))": answered(SOMETHING)})
    assert shown(grafana).problems == []


def test_a_panel_whose_metric_never_was_and_one_that_cannot_be_evaluated_have_no_data() -> None:
    grafana = Stand([panel("never"), panel("up{")], 1, **{"up{": answered('{"status":"error"}', 400)})
    assert shown(grafana).without_data == ("All: never", "All: up{")


def test_after_one_that_is_not_answered_no_other_is_asked_for() -> None:
    grafana = Stand([panel("never"), panel("slow"), panel("up")], slow=TIMED_OUT)
    found = shown(grafana)
    assert (found.without_data, found.untold) == (("All: never",), ("All: slow (did not answer in time after 3 s)",))
    assert "up" not in grafana.asked


def test_of_many_dashboards_only_the_first_are_read() -> None:
    grafana = Stand([panel("up")] * 3, MOST_DASHBOARDS + 10, up=answered(SOMETHING))
    assert shown(grafana).panels == MOST_PANELS
    assert len([path for path in grafana.asked if path.startswith("/api/dashboards/")]) == MOST_DASHBOARDS
