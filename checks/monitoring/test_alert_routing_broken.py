"""AlertRoutingBroken: Alertmanager routes an alert to nobody, or to the wrong receiver."""

from fixtures.monitoring.notification import SentAlert
from fixtures.monitoring.routing import Routing
from playbook.alert import Alert, diagnostic, trigger
from playbook.limits import minutes
from playbook.quantities import listed

ALERT = Alert(
    name="AlertRoutingBroken",
    severity=1,
    trigger=(
        "an alert is routed to a receiver without an integration, a route is never reached, "
        "or a root alert is inhibited"
    ),
    impact="an alert fires but on-call is not notified",
    respond_within=minutes(15),
    escalate_after=minutes(30),
    labels={"service": "alertmanager"},
)


@trigger(step=3)
def test_every_alert_reaches_on_call(routing: Routing, sent_alert: SentAlert | None) -> None:
    """Each alert is routed to a receiver with an integration, each route is reached, no root alert is inhibited."""
    problems = [*routing.problems, *(sent_alert.problems if sent_alert else ())]
    assert not problems, listed(problems)


@diagnostic(cause="route-shadowed", step=3)
def test_every_route_is_reached(routing: Routing) -> None:
    """Every route is reached by the labels that its matchers name, not shadowed by one before it."""
    assert not routing.shadowed, listed(routing.shadowed, 3)


@diagnostic(cause="receiver-empty", step=3)
def test_every_receiver_has_an_integration(routing: Routing) -> None:
    """Every alert is routed to a receiver with an integration."""
    assert not routing.empty, listed(routing.empty)


@diagnostic(cause="receiver-placeholder", step=3)
def test_no_receiver_has_a_placeholder_address(routing: Routing) -> None:
    """No receiver of our alerts still has the placeholder address of an example."""
    assert not routing.at_placeholder, listed(routing.at_placeholder)


@diagnostic(cause="root-alert-inhibited", step=3)
def test_no_root_alert_is_inhibited(routing: Routing) -> None:
    """No severity-0 alert is inhibited by an alert that does not explain it."""
    assert not routing.hidden_roots, listed(routing.hidden_roots)


@diagnostic(cause="test-alert-lost", step=3, active=True)
def test_a_test_alert_arrives(notification: SentAlert) -> None:
    """A test alert arrives at its receivers, and is gone when it is resolved."""
    assert not notification.problems, listed(notification.problems)
