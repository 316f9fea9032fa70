"""Faults of Alertmanager and of its routing."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from functools import partial

from sandbox.fault import Document, Expect, Fault, Stack, configured
from sandbox.faults.monitoring.prometheus import server_stopped
from sandbox.faults.monitoring.rules import add_rule
from sandbox.monitoring import configuration
from sandbox.monitoring.stack import EXTRA
from sandbox.polling import require
from sandbox.target import DROPPED_WITHIN

CRITICAL, ELSEWHERE = "critical-alerts", "development-team"
PLACEHOLDER = "orchestrator-oncall@example.com"

_down = partial(Expect, "AlertmanagerDown", "firing")
_broken = partial(Expect, "AlertRoutingBroken", "firing")
_routed = partial(configured, server="alertmanager")


def _is_disconnected(stack: Stack) -> None:
    stack.monitoring.require_settled()
    require(not stack.monitoring.alertmanagers(), "Prometheus still has an Alertmanager")


def _send_to_the_api(stack: Stack) -> None:
    add_rule(stack, "AlwaysFires", "vector(1)")
    document = configuration.original("prometheus", stack.monitoring.ports)
    document["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] = [stack.api_url.removeprefix("http://")]
    stack.monitoring.use("prometheus", document, reload=False)
    stack.monitoring.load("prometheus")


def _is_dropped(stack: Stack) -> None:
    stack.monitoring.require_looked_for_all(timedelta(seconds=DROPPED_WITHIN + 1))
    require(stack.monitoring.lost(), "Prometheus has lost no notification")


def _stop_dropping(stack: Stack) -> None:
    stack.monitoring.write_rules(EXTRA, "", reload=False)
    stack.monitoring.reconfigure("prometheus")


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


STOPPED = server_stopped("alertmanager-stopped", "Alertmanager", _down("alertmanager-not-answering"))
DISCONNECTED = configured(
    "alertmanager-disconnected",
    "removes Alertmanager from Prometheus' configuration",
    _down("prometheus-not-connected"),
    server="prometheus",
    change=lambda document: document.pop("alerting"),
    took_hold=_is_disconnected,
)
DROPPED = Fault(
    name="notifications-dropped",
    does="makes Prometheus send its alerts to the API, which is not an Alertmanager",
    expect=_down("notifications-dropped"),
    break_=_send_to_the_api,
    took_hold=_is_dropped,
    heal=_stop_dropping,
)
ROUTE_SHADOWED = _routed(
    "route-shadowed",
    "adds a route that matches every alert before all others",
    _broken("route-shadowed"),
    change=_shadow,
    took_hold=_critical_goes_elsewhere,
)
RECEIVER_EMPTY = _routed(
    "receiver-empty",
    "removes every integration from the receiver of critical alerts",
    _broken("receiver-empty"),
    change=lambda document: _receiver(document).pop("webhook_configs"),
    took_hold=lambda stack: _in_force(stack, f"- name: {CRITICAL}\n- name:"),
)
RECEIVER_PLACEHOLDER = _routed(
    "receiver-placeholder",
    "sends critical alerts to the example address of the shipped configuration",
    _broken("receiver-placeholder"),
    change=_leave_at_its_placeholder,
    took_hold=lambda stack: _in_force(stack, PLACEHOLDER),
)
INHIBIT_TOO_BROAD = _routed(
    "inhibit-too-broad",
    "makes any warning inhibit every critical alert",
    _broken("root-alert-inhibited"),
    change=_inhibit_everything,
    took_hold=lambda stack: _in_force(stack, '- severity="warning"\n  target_matchers:\n  - severity="critical"\n'),
)
