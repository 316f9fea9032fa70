"""Faults of Alertmanager and of its routing."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from typing import TYPE_CHECKING

from sandbox.fault import Expect, Fault
from sandbox.faults.monitoring.prometheus import refuses, restore_configuration
from sandbox.faults.monitoring.rules import add_rule
from sandbox.monitoring import configuration
from sandbox.monitoring.stack import EXTRA
from sandbox.polling import require
from sandbox.target import DROPPED_WITHIN

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.monitoring.configuration import Document
    from sandbox.stack import Stack

DOWN, BROKEN = "AlertmanagerDown", "AlertRoutingBroken"
CRITICAL, ELSEWHERE = "critical-alerts", "development-team"
PLACEHOLDER = "orchestrator-oncall@example.com"


def _disconnect(stack: Stack) -> None:
    document = configuration.prometheus(stack.monitoring.ports)
    del document["alerting"]
    stack.monitoring.use_prometheus(document)


def _is_disconnected(stack: Stack) -> None:
    stack.monitoring.require_settled()
    require(not stack.monitoring.alertmanagers(), "Prometheus still has an Alertmanager")


def _send_to_the_api(stack: Stack) -> None:
    add_rule(stack, "AlwaysFires", "vector(1)")
    document = configuration.prometheus(stack.monitoring.ports)
    document["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] = [stack.api_url.removeprefix("http://")]
    stack.monitoring.use_prometheus(document, reload=False)
    stack.monitoring.load("prometheus")


def _is_dropped(stack: Stack) -> None:
    stack.monitoring.require_looked_for_all(timedelta(seconds=DROPPED_WITHIN + 1))
    require(stack.monitoring.lost(), "Prometheus has lost no notification")


def _stop_dropping(stack: Stack) -> None:
    stack.monitoring.write_rules(EXTRA, "", reload=False)
    restore_configuration(stack)


def _configure(stack: Stack, change: Callable[[Document], object]) -> None:
    document = configuration.alertmanager(stack.monitoring.ports)
    change(document)
    stack.monitoring.use_alertmanager(document)


def _restore(stack: Stack) -> None:
    _configure(stack, lambda _: None)


def _in_force(stack: Stack, text: str) -> None:
    original = stack.monitoring.ask("alertmanager", "/api/v2/status")["config"]["original"]
    require(text in original, f"Alertmanager's configuration lacks {text!r}")


def _shadow(document: Document) -> None:
    document["route"]["routes"].insert(0, {"receiver": ELSEWHERE})


def _critical_goes_elsewhere(stack: Stack) -> None:
    where = f"--alertmanager.url={stack.monitoring.url('alertmanager')}"
    command = ["amtool", "config", "routes", "test", where, "alertname=NoActiveWorkers", "severity=critical"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)
    require(done.stdout.strip() == ELSEWHERE, f"amtool reports that it is routed to {done.stdout.strip()}")


def _receiver(document: Document) -> Document:
    found: Document = next(each for each in document["receivers"] if each["name"] == CRITICAL)
    return found


def _leave_at_its_placeholder(document: Document) -> None:
    document["global"] = {"smtp_smarthost": "localhost:587", "smtp_from": "orchestrator-alerts@example.com"}
    receiver = _receiver(document)
    del receiver["webhook_configs"]
    receiver["email_configs"] = [{"to": PLACEHOLDER}]


def _inhibit_everything(document: Document) -> None:
    rule = {"source_matchers": ['severity="warning"'], "target_matchers": ['severity="critical"']}
    document["inhibit_rules"].append(rule)


STOPPED = Fault(
    name="alertmanager-stopped",
    does="stops Alertmanager, so that nothing listens on its port",
    expect=Expect(DOWN, "firing", "alertmanager-not-answering"),
    break_=lambda stack: stack.monitoring.alertmanager.stop(),
    took_hold=lambda stack: refuses(stack, "alertmanager"),
    heal=lambda stack: stack.monitoring.alertmanager.start(),
)
DISCONNECTED = Fault(
    name="alertmanager-disconnected",
    does="removes Alertmanager from Prometheus' configuration",
    expect=Expect(DOWN, "firing", "prometheus-not-connected"),
    break_=_disconnect,
    took_hold=_is_disconnected,
    heal=restore_configuration,
)
DROPPED = Fault(
    name="notifications-dropped",
    does="makes Prometheus send its alerts to the API, which is not an Alertmanager",
    expect=Expect(DOWN, "firing", "notifications-dropped"),
    break_=_send_to_the_api,
    took_hold=_is_dropped,
    heal=_stop_dropping,
)
ROUTE_SHADOWED = Fault(
    name="route-shadowed",
    does="adds a route that matches every alert before all others",
    expect=Expect(BROKEN, "firing", "route-shadowed"),
    break_=lambda stack: _configure(stack, _shadow),
    took_hold=_critical_goes_elsewhere,
    heal=_restore,
)
RECEIVER_EMPTY = Fault(
    name="receiver-empty",
    does="removes every integration from the receiver of critical alerts",
    expect=Expect(BROKEN, "firing", "receiver-empty"),
    break_=lambda stack: _configure(stack, lambda document: _receiver(document).pop("webhook_configs")),
    took_hold=lambda stack: _in_force(stack, f"- name: {CRITICAL}\n- name:"),
    heal=_restore,
)
RECEIVER_PLACEHOLDER = Fault(
    name="receiver-placeholder",
    does="sends critical alerts to the example address of the shipped configuration",
    expect=Expect(BROKEN, "firing", "receiver-placeholder"),
    break_=lambda stack: _configure(stack, _leave_at_its_placeholder),
    took_hold=lambda stack: _in_force(stack, PLACEHOLDER),
    heal=_restore,
)
INHIBIT_TOO_BROAD = Fault(
    name="inhibit-too-broad",
    does="makes any warning inhibit every critical alert",
    expect=Expect(BROKEN, "firing", "root-alert-inhibited"),
    break_=lambda stack: _configure(stack, _inhibit_everything),
    took_hold=lambda stack: _in_force(stack, '- severity="warning"\n  target_matchers:\n  - severity="critical"\n'),
    heal=_restore,
)
