"""AlertmanagerDown: alerts fire, and nobody is notified."""

from fixtures.monitoring.alertmanager import AlertmanagerHealth, Notifier
from playbook.alert import Alert, diagnostic, trigger
from playbook.limits import AlertLimits, minutes
from playbook.quantities import Span, listed


class Limits(AlertLimits):
    """The limits of the alert."""

    settle_grace: Span = minutes(2)


ALERT = Alert(
    name="AlertmanagerDown",
    severity=1,
    trigger=(
        "Alertmanager does not answer, is not ready {settle_grace} after its start, could not load its configuration, "
        "or Prometheus cannot send it alerts"
    ),
    impact="alerts fire and nobody is notified",
    limits=Limits,
    respond_within=minutes(15),
    escalate_after=minutes(30),
    labels={"service": "alertmanager"},
    explains=("alertmanager",),
)


@trigger(step=2)
def test_alertmanager_works(alertmanager_health: AlertmanagerHealth, notifier: Notifier, limits: Limits) -> None:
    """Alertmanager answers, is ready, has loaded its configuration, and Prometheus sends its alerts to it."""
    problems = alertmanager_health.problems(limits.settle_grace) + notifier.problems
    assert not problems, listed(problems)
    alertmanager_health.require_whole()
    notifier.require_asked()


@diagnostic(cause="alertmanager-not-answering", step=2)
def test_alertmanager_answers(alertmanager_health: AlertmanagerHealth) -> None:
    """Something answers at Alertmanager's address."""
    assert not alertmanager_health.is_silent, f"{alertmanager_health.answer}"


@diagnostic(cause="not-an-alertmanager", step=2)
def test_what_answers_is_alertmanager(alertmanager_health: AlertmanagerHealth) -> None:
    """Alertmanager answers there, by version 2 of its API, and not another program."""
    assert not alertmanager_health.is_something_else, f"{alertmanager_health.answer}, but not as Alertmanager does"


@diagnostic(cause="cluster-not-ready", step=2)
def test_the_cluster_is_ready(alertmanager_health: AlertmanagerHealth, limits: Limits) -> None:
    """Alertmanager's cluster settled in time: until then it holds notifications back."""
    unsettled = alertmanager_health.is_unsettled(limits.settle_grace)
    assert not unsettled, f"the cluster is {alertmanager_health.cluster} (limit {limits.settle_grace} after a start)"


@diagnostic(cause="configuration-not-loaded", step=2)
def test_the_configuration_was_loaded(alertmanager_health: AlertmanagerHealth) -> None:
    """Alertmanager could load its configuration at the last reload."""
    assert not alertmanager_health.reload_failed, (
        "the last reload failed: Alertmanager works with the old configuration"
    )


@diagnostic(cause="prometheus-not-connected", step=2)
def test_prometheus_is_connected(notifier: Notifier) -> None:
    """Prometheus knows an Alertmanager to send to."""
    assert not notifier.is_disconnected, "Prometheus is connected to no Alertmanager"


@diagnostic(cause="notifications-dropped", step=2)
def test_prometheus_drops_nothing(notifier: Notifier) -> None:
    """Prometheus dropped no notification in the last two minutes."""
    assert not notifier.drops, notifier.losses


@diagnostic(cause="losses-not-counted", step=2)
def test_losses_are_counted(notifier: Notifier) -> None:
    """Prometheus scrapes itself, and so counts the notifications that it drops."""
    assert not notifier.is_uncounted, "dropped notifications are not counted: Prometheus does not scrape itself"
