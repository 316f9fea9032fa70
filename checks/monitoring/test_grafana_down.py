"""GrafanaDown: the dashboards show no data."""

from fixtures.monitoring.dashboards import Dashboards, GrafanaHealth
from playbook.alert import Alert, diagnostic, trigger
from playbook.limits import hours
from playbook.quantities import counted, listed

ALERT = Alert(
    name="GrafanaDown",
    severity=3,
    trigger="Grafana or its database does not work, or a data source or a panel has no data",
    impact="an engineer who looks for the cause of an alert sees no data",
    respond_within=hours(2),
    escalate_after=hours(8),
    labels={"service": "grafana"},
    explains=("grafana",),
)


@trigger(step=(1, 2))
def test_grafana_shows_data(grafana_health: GrafanaHealth, dashboards: Dashboards) -> None:
    """Grafana and its database work, its data sources answer a query, and the panels have data."""
    problems = grafana_health.problems or dashboards.problems
    assert not problems, listed(problems)


@diagnostic(cause="grafana-not-answering", step=1)
def test_grafana_answers(grafana_health: GrafanaHealth) -> None:
    """Something answers at Grafana's address."""
    assert not grafana_health.is_silent, f"{grafana_health.answer}"


@diagnostic(cause="not-a-grafana", step=1)
def test_what_answers_is_grafana(grafana_health: GrafanaHealth) -> None:
    """Grafana answers there, and not another program."""
    assert not grafana_health.is_something_else, f"{grafana_health.answer}, but not as Grafana does"


@diagnostic(cause="database-failing", step=1)
def test_its_database_works(grafana_health: GrafanaHealth) -> None:
    """Grafana can use its own database."""
    assert not grafana_health.database_fails, f"Grafana's database: {grafana_health.database}"


@diagnostic(cause="datasource-failing", step=2, explained_by="PrometheusDown")
def test_the_data_sources_answer(dashboards: Dashboards) -> None:
    """Each data source of Prometheus answers a query through Grafana."""
    assert not dashboards.sources_that_fail, listed(dashboards.sources_that_fail)


@diagnostic(cause="panel-without-data", step=3, explained_by="ScrapeTargetDown")
def test_the_panels_have_data(dashboards: Dashboards) -> None:
    """The panels of the dashboards have data."""
    empty = dashboards.panels_without_data
    assert not empty, f"{len(empty)} of {counted(dashboards.panels, 'panel')} without data: {listed(empty)}"
