"""PrometheusDown: nothing is measured, so no alert can come."""

from types import SimpleNamespace

from fixtures.monitoring.scraping import PrometheusHealth
from playbook.alert import Alert, diagnostic, minutes, trigger
from playbook.quantities import listed

ALERT = Alert(
    name="PrometheusDown",
    severity=1,
    trigger="Prometheus does not answer, is not ready, could not load its configuration, or measures nothing",
    impact="no alert of Prometheus can fire, whatever happens",
    limits={"sample_age": minutes(2)},
    respond_within=minutes(15),
    escalate_after=minutes(30),
    labels={"service": "prometheus"},
    explains="prometheus",
)


@trigger(step=1, measures="prometheus_health.sample_age", against="sample_age")
def test_prometheus_is_well(prometheus_health: PrometheusHealth, limits: SimpleNamespace) -> None:
    """Prometheus answers, is ready, has loaded its configuration, and has fresh samples."""
    problems = prometheus_health.problems(limits.sample_age)
    assert not problems, listed(problems)


@diagnostic(cause="prometheus-not-answering", step=1)
def test_prometheus_answers(prometheus_health: PrometheusHealth) -> None:
    """Something answers at Prometheus' address."""
    assert not prometheus_health.is_silent, f"{prometheus_health.answer}"


@diagnostic(cause="not-a-prometheus", step=1)
def test_what_answers_is_prometheus(prometheus_health: PrometheusHealth) -> None:
    """What answers there answers as Prometheus does."""
    assert not prometheus_health.is_something_else, f"{prometheus_health.answer}, but not as Prometheus does"


@diagnostic(cause="prometheus-not-ready", step=1)
def test_prometheus_is_ready(prometheus_health: PrometheusHealth) -> None:
    """Prometheus has read its storage, and serves."""
    assert not prometheus_health.is_starting, "Prometheus answers and is not ready: it reads its storage, or cannot"


@diagnostic(cause="reload-failed", step=1)
def test_the_last_reload_worked(prometheus_health: PrometheusHealth) -> None:
    """Prometheus works with the configuration that it was last told to load."""
    assert prometheus_health.reloaded is not False, "the last reload failed: Prometheus goes on with the old one"


@diagnostic(cause="samples-stale", step=3)
def test_samples_are_fresh(prometheus_health: PrometheusHealth, limits: SimpleNamespace) -> None:
    """Prometheus measures Ordinaut: the newest sample of a series that is always there is young."""
    stale = prometheus_health.is_stale(limits.sample_age)
    assert not stale, f"{prometheus_health.newest_sample}, limit {limits.sample_age}"
