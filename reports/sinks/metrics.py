"""A run as metrics, in a file that node_exporter's textfile collector reads. Written by the official client."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, get_args

from playbook.outcome import State
from reports.output import replace_file

if TYPE_CHECKING:
    from pathlib import Path

    from reports.results import Results

MODE = 0o644
STATES = tuple(state for state in get_args(State) if state != "noted")  # an alert's own


def write(path: Path, results: Results) -> None:
    """Write the file, whole or not at all; OSError where that cannot be.

    It holds no secret, and whatever the umask, others may read it: node_exporter is another user.
    """
    from prometheus_client import CollectorRegistry, Gauge, generate_latest

    registry = CollectorRegistry()
    about = ["target", "alert", "severity"]
    state = Gauge(
        "ordinaut_health_alert_state", "1 for the state that an alert is in, 0 for the others.", [*about, "state"],
        registry=registry,
    )  # fmt: skip
    value = Gauge(
        "ordinaut_health_alert_value", "What the alert measured: seconds, a share of 1, a count, bytes.", about,
        registry=registry,
    )  # fmt: skip
    limit = Gauge("ordinaut_health_alert_limit", "What the measured value is held against.", about, registry=registry)
    for alert in results.alerts:
        labels = (results.target, alert.name, str(alert.severity))
        for name in STATES:
            state.labels(*labels, name).set(alert.state == name)
        if alert.measured and alert.measured.value is not None:
            value.labels(*labels).set(alert.measured.value)
        if alert.limit and alert.limit.value is not None:
            limit.labels(*labels).set(alert.limit.value)
    run = {
        "start_time_seconds": ("When the run began.", datetime.fromisoformat(results.started_at).timestamp()),
        "duration_seconds": ("How long the run took.", results.duration_seconds),
        "exit_status": ("0 nothing fires, 1 something fires, 6 something could not be told.", results.exit_status),
        "complete": ("1 where the run was not stopped before its end.", results.complete),
    }
    for name, (meaning, number) in run.items():
        gauge = Gauge(f"ordinaut_health_run_{name}", meaning, ["target"], registry=registry)
        gauge.labels(results.target).set(number)
    replace_file(path, generate_latest(registry).decode(), MODE)
