"""Faults of Grafana, which is a stand-in in the sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.fault import Expect, Fault
from sandbox.faults.monitoring.prometheus import refuses
from sandbox.http import CLIENT
from sandbox.monitoring import configuration
from sandbox.polling import require

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.monitoring.configuration import Document
    from sandbox.stack import Stack

ALERT = "GrafanaDown"
TIMEOUT = 5.0
HEALTH_OF_DATASOURCE = f"/api/datasources/uid/{configuration.DATASOURCE}/health"
NOWHERE = "http://127.0.0.1:1"
WITHOUT_SERIES = "orchestrator_due_work_queue_depth"


def _show(stack: Stack, change: Callable[[Document], object]) -> None:
    document = configuration.grafana(stack.monitoring.ports)
    change(document)
    stack.monitoring.use_grafana(document)


def _restore(stack: Stack) -> None:
    _show(stack, lambda _: None)


def _answers(stack: Stack, path: str, status: int) -> None:
    answer = CLIENT.get(stack.monitoring.url("grafana") + path, timeout=TIMEOUT)
    require(answer.status_code == status, f"Grafana answers {answer.status_code}: {answer.text[:80]}")


def _empty(document: Document) -> None:
    for panel in document["dashboard"]["panels"]:
        panel["expr"] = WITHOUT_SERIES


def _is_empty(stack: Stack) -> None:
    path = f"/api/datasources/proxy/uid/{configuration.DATASOURCE}/api/v1/query"
    found = stack.monitoring.ask("grafana", path, query=WITHOUT_SERIES)["data"]["result"]
    require(found == [], f"Grafana shows {found}")


STOPPED = Fault(
    name="grafana-stopped",
    does="stops Grafana, so that nothing listens on its port",
    expect=Expect(ALERT, "firing", "grafana-not-answering"),
    break_=lambda stack: stack.monitoring.grafana.stop(),
    took_hold=lambda stack: refuses(stack, "grafana"),
    heal=lambda stack: stack.monitoring.grafana.start(),
)
DATABASE_DOWN = Fault(
    name="grafana-database-down",
    does="makes Grafana report that it cannot reach its database",
    expect=Expect(ALERT, "firing", "database-failing"),
    break_=lambda stack: _show(stack, lambda document: document.update(database="failing")),
    took_hold=lambda stack: _answers(stack, "/api/health", 503),
    heal=_restore,
)
DATASOURCE_BROKEN = Fault(
    name="datasource-broken",
    does="points Grafana's data source at an address without a Prometheus",
    expect=Expect(ALERT, "firing", "datasource-failing"),
    break_=lambda stack: _show(stack, lambda document: document["datasource"].update(url=NOWHERE)),
    took_hold=lambda stack: _answers(stack, HEALTH_OF_DATASOURCE, 400),
    heal=_restore,
)
DASHBOARD_EMPTY = Fault(
    name="dashboard-empty",
    does="makes the panels of the dashboard query a metric without series",
    expect=Expect(ALERT, "firing", "panel-without-data"),
    break_=lambda stack: _show(stack, _empty),
    took_hold=_is_empty,
    heal=_restore,
)
