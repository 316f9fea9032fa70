"""GrafanaDown: the dashboards show nothing."""

from fixtures.monitoring.dashboards import Dashboards, GrafanaHealth
from playbook.alert import Alert, diagnostic, hours, trigger
from playbook.quantities import listed

ALERT = Alert(
    name="GrafanaDown",
    severity=3,
    trigger="Grafana or its database does not work, or its data source or its panels give no data",
    impact="whoever looks for the cause of an alert sees nothing",
    respond_within=hours(2),
    escalate_after=hours(8),
    labels={"service": "grafana"},
    explains="grafana",
)


@trigger(step=(1, 2))
def test_grafana_shows_something(grafana_health: GrafanaHealth, dashboards: Dashboards) -> None:
    """Grafana and its database work, its data source answers a query, and the panels have data."""
    problems = grafana_health.problems + dashboards.problems
    assert not problems, listed(problems)


@diagnostic(cause="grafana-not-answering", step=1)
def test_grafana_answers(grafana_health: GrafanaHealth) -> None:
    """Something answers at Grafana's address."""
    assert not grafana_health.is_silent, f"{grafana_health.answer}"


@diagnostic(cause="not-a-grafana", step=1)
def test_what_answers_is_grafana(grafana_health: GrafanaHealth) -> None:
    """What answers there answers as Grafana does."""
    assert not grafana_health.is_something_else, f"{grafana_health.answer}, but not as Grafana does"


@diagnostic(cause="database-failing", step=1)
def test_its_database_works(grafana_health: GrafanaHealth) -> None:
    """Grafana can use its own database."""
    assert not grafana_health.database_fails, f"Grafana's database: {grafana_health.database}"


@diagnostic(cause="datasource-failing", step=2, explained_by="PrometheusDown")
def test_the_data_sources_answer(dashboards: Dashboards) -> None:
    """Each data source of Prometheus answers a query through Grafana."""
    assert not dashboards.failing_sources, listed(dashboards.failing_sources)


@diagnostic(cause="panel-without-data", step=3, explained_by="ScrapeTargetDown")
def test_the_panels_have_data(dashboards: Dashboards) -> None:
    """What the panels of the dashboards ask for has data."""
    assert not dashboards.without_data, f"of {dashboards.panels} panels without data: {listed(dashboards.without_data)}"
