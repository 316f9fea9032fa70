"""AlertmanagerDown: alerts fire, and nobody is told."""

from types import SimpleNamespace

from fixtures.clients.alertmanager import AlertmanagerHealth, Notifier
from playbook.alert import Alert, diagnostic, minutes, trigger
from playbook.quantities import listed

ALERT = Alert(
    name="AlertmanagerDown",
    severity=1,
    trigger="Alertmanager does not answer or is not ready, or Prometheus cannot hand its alerts to it",
    impact="alerts fire and nobody is told",
    limits={
        "dropped_within": minutes(2),  # what fires is told again every minute
        "settles_within": minutes(2),
    },
    respond_within=minutes(15),
    escalate_after=minutes(30),
    labels={"service": "alertmanager"},
    explains="alertmanager",
)


@trigger(step=2)
def test_alertmanager_is_well(
    alertmanager_health: AlertmanagerHealth, notifier: Notifier, limits: SimpleNamespace
) -> None:
    """Alertmanager answers, is ready and has loaded its configuration, and Prometheus hands its alerts to it."""
    problems = alertmanager_health.problems(limits.settles_within) + notifier.problems
    assert not problems, listed(problems)
    alertmanager_health.require_told()
    notifier.require_told()


@diagnostic(cause="alertmanager-not-answering", step=2)
def test_alertmanager_answers(alertmanager_health: AlertmanagerHealth) -> None:
    """Something answers at Alertmanager's address."""
    assert not alertmanager_health.is_silent, f"{alertmanager_health.answer}"


@diagnostic(cause="not-an-alertmanager", step=2)
def test_what_answers_is_alertmanager(alertmanager_health: AlertmanagerHealth) -> None:
    """What answers there answers as Alertmanager does, by version 2 of its API."""
    assert not alertmanager_health.is_something_else, f"{alertmanager_health.answer}, but not as Alertmanager does"


@diagnostic(cause="cluster-not-ready", step=2)
def test_the_cluster_is_ready(alertmanager_health: AlertmanagerHealth, limits: SimpleNamespace) -> None:
    """Alertmanager's cluster has settled in time: until then it holds notifications back."""
    unsettled = alertmanager_health.is_unsettled(limits.settles_within)
    assert not unsettled, f"the cluster is {alertmanager_health.cluster}; limit {limits.settles_within} after a start"


@diagnostic(cause="configuration-not-loaded", step=2)
def test_the_configuration_was_loaded(alertmanager_health: AlertmanagerHealth) -> None:
    """Alertmanager works with the configuration that it was last told to load."""
    assert alertmanager_health.reloaded is not False, "the last reload failed: Alertmanager goes on with the old one"


@diagnostic(cause="prometheus-not-connected", step=2)
def test_prometheus_is_connected(notifier: Notifier) -> None:
    """Prometheus knows an Alertmanager to send to."""
    assert not notifier.is_disconnected, "Prometheus is connected to no Alertmanager"


@diagnostic(cause="notifications-dropped", step=2)
def test_prometheus_drops_nothing(notifier: Notifier) -> None:
    """Prometheus lost no notification of late."""
    assert not notifier.drops, listed(notifier.problems)


@diagnostic(cause="losses-not-counted", step=2)
def test_losses_are_counted(notifier: Notifier) -> None:
    """Prometheus scrapes itself, and so says how many notifications it lost."""
    assert not notifier.is_uncounted, "whether notifications are lost is not known: Prometheus does not scrape itself"
