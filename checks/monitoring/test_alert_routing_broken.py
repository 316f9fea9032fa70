"""AlertRoutingBroken: Alertmanager has the alert, and sends it nowhere, or to the wrong ones."""

from fixtures.monitoring.notification import SentAlert
from fixtures.monitoring.routing import Routing
from playbook.alert import Alert, diagnostic, minutes, trigger
from playbook.quantities import listed

ALERT = Alert(
    name="AlertRoutingBroken",
    severity=1,
    trigger="an alert reaches no receiver that tells anybody, a route is never reached, or a root alert is inhibited",
    impact="an alert fires and whom it is for is not told",
    respond_within=minutes(15),
    escalate_after=minutes(30),
    labels={"service": "alertmanager"},
)


@trigger(step=3)
def test_every_alert_is_heard_of(routing: Routing, sent_alert: SentAlert | None) -> None:
    """Each alert comes to a receiver that tells somebody, each route is reached, and no root alert is hidden."""
    problems = [*routing.problems, *(sent_alert.problems if sent_alert else ())]
    assert not problems, listed(problems)


@diagnostic(cause="route-shadowed", step=3)
def test_every_route_is_reached(routing: Routing) -> None:
    """What a route is meant for comes to it, and not to one before it."""
    assert not routing.shadowed, listed(routing.shadowed, 3)


@diagnostic(cause="receiver-empty", step=3)
def test_every_receiver_tells_somebody(routing: Routing) -> None:
    """Every alert of ours comes to a receiver with an integration."""
    assert not routing.empty, listed(routing.empty)


@diagnostic(cause="receiver-placeholder", step=3)
def test_no_receiver_is_at_its_placeholder(routing: Routing) -> None:
    """No receiver that our alerts come to was left at the address of the example."""
    assert not routing.at_placeholder, listed(routing.at_placeholder)


@diagnostic(cause="root-alert-inhibited", step=3)
def test_no_root_alert_is_hidden(routing: Routing) -> None:
    """No alert of severity 0 is hidden by one that does not explain it: of lower severity, or of any name."""
    assert not routing.hidden_roots, listed(routing.hidden_roots)


@diagnostic(cause="test-alert-lost", step=3, active=True)
def test_a_test_alert_arrives(notification: SentAlert) -> None:
    """A test alert comes to whom it is for, and is gone when it is taken back."""
    assert not notification.problems, listed(notification.problems)
