"""Faults of Grafana, which is a stand-in in the sandbox."""

from __future__ import annotations

from functools import partial

from sandbox.fault import Document, Expect, Stack, configured
from sandbox.faults.monitoring.prometheus import server_stopped
from sandbox.http import require_answer
from sandbox.monitoring.configuration import DATASOURCE
from sandbox.polling import require

NOWHERE = "http://127.0.0.1:1"
WITHOUT_SERIES = "orchestrator_due_work_queue_depth"

_down = partial(Expect, "GrafanaDown", "firing")
_changed = partial(configured, server="grafana")


def _answers(stack: Stack, path: str, status: int) -> None:
    require_answer(stack.monitoring.url("grafana") + path, status)


def _empty(document: Document) -> None:
    for panel in document["dashboard"]["panels"]:
        panel["expr"] = WITHOUT_SERIES


def _is_empty(stack: Stack) -> None:
    path = f"/api/datasources/proxy/uid/{DATASOURCE}/api/v1/query"
    found = stack.monitoring.ask("grafana", path, query=WITHOUT_SERIES)["data"]["result"]
    require(found == [], f"Grafana shows {found}")


STOPPED = server_stopped("grafana-stopped", "Grafana", _down("grafana-not-answering"))
DATABASE_DOWN = _changed(
    "grafana-database-down",
    "makes Grafana report that it cannot reach its database",
    _down("database-failing"),
    change=lambda document: document.update(database="failing"),
    took_hold=partial(_answers, path="/api/health", status=503),
)
DATASOURCE_BROKEN = _changed(
    "datasource-broken",
    "points Grafana's data source at an address without a Prometheus",
    _down("datasource-failing"),
    change=lambda document: document["datasource"].update(url=NOWHERE),
    took_hold=partial(_answers, path=f"/api/datasources/uid/{DATASOURCE}/health", status=400),
)
DASHBOARD_EMPTY = _changed(
    "dashboard-empty",
    "makes the panels of the dashboard query a metric without series",
    _down("panel-without-data"),
    change=_empty,
    took_hold=_is_empty,
)
