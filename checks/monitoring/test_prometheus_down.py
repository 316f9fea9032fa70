"""PrometheusDown: nothing is measured, so no alert can fire."""

from fixtures.monitoring.scraping import PrometheusHealth
from playbook.alert import Alert, diagnostic, trigger
from playbook.limits import AlertLimits, minutes
from playbook.quantities import Span, listed


class Limits(AlertLimits):
    """The limits of the alert."""

    sample_age: Span = minutes(2)


ALERT = Alert(
    name="PrometheusDown",
    severity=1,
    trigger=(
        "Prometheus does not answer, is not ready, could not load its configuration, "
        "or has no sample younger than {sample_age}"
    ),
    impact="no alert of Prometheus can fire",
    limits=Limits,
    respond_within=minutes(15),
    escalate_after=minutes(30),
    labels={"service": "prometheus"},
    explains=("prometheus",),
)


@trigger(step=1, measures="prometheus_health.sample_age", against="sample_age")
def test_prometheus_works(prometheus_health: PrometheusHealth, limits: Limits) -> None:
    """Prometheus answers, is ready, has loaded its configuration, and has recent samples."""
    problems = prometheus_health.problems(limits.sample_age)
    assert not problems, listed(problems)


@diagnostic(cause="prometheus-not-answering", step=1)
def test_prometheus_answers(prometheus_health: PrometheusHealth) -> None:
    """Something answers at Prometheus' address."""
    assert not prometheus_health.is_silent, f"{prometheus_health.answer}"


@diagnostic(cause="not-a-prometheus", step=1)
def test_what_answers_is_prometheus(prometheus_health: PrometheusHealth) -> None:
    """Prometheus answers there, and not another program."""
    assert not prometheus_health.is_something_else, f"{prometheus_health.answer}, but not as Prometheus does"


@diagnostic(cause="prometheus-not-ready", step=1)
def test_prometheus_is_ready(prometheus_health: PrometheusHealth) -> None:
    """Prometheus has read its storage and is ready."""
    assert not prometheus_health.is_starting, (
        "Prometheus answers and is not ready: it is reading its storage, or cannot read it"
    )


@diagnostic(cause="reload-failed", step=1)
def test_the_last_reload_worked(prometheus_health: PrometheusHealth) -> None:
    """Prometheus could load its configuration at the last reload."""
    assert not prometheus_health.reload_failed, "the last reload failed: Prometheus works with the old configuration"


@diagnostic(cause="samples-stale", step=3)
def test_samples_are_fresh(prometheus_health: PrometheusHealth, limits: Limits) -> None:
    """Prometheus has a recent sample of Ordinaut's jobs."""
    stale = prometheus_health.is_stale(limits.sample_age)
    assert not stale, f"{prometheus_health.newest_sample} (limit {limits.sample_age})"
