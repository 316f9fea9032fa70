"""Faults of silences."""

from __future__ import annotations

from datetime import timedelta

from sandbox.fault import Expect, Fault, Stack
from sandbox.polling import require

COMMENT = "Scheduled maintenance window"


def _in_force(stack: Stack) -> None:
    active = [silence["comment"] for silence in stack.monitoring.active_silences()]
    require(active == [COMMENT], f"the active silences are {active}")


def _silence(name: str, does: str, cause: str, alert: str, lasts: timedelta) -> Fault:
    def break_(stack: Stack) -> None:
        stack.monitoring.silence({"alertname": alert}, COMMENT, lasts)

    expect = Expect("SilenceTooBroad", "firing", cause)
    return Fault(name, does, expect, break_, _in_force, lambda stack: stack.monitoring.lift_silences())


HOUR = timedelta(hours=1)
ALL = _silence("silence-all", "silences every alert for an hour", "matches-everything", ".+", HOUR)
SEVERITY_0 = _silence(
    "silence-hides-sev0", "silences NoActiveWorkers for an hour", "hides-severity-0", "NoActiveWorkers", HOUR
)
ENDLESS = _silence(
    "silence-endless", "silences LowTaskThroughput for ten years", "lasts-too-long", "LowTaskThroughput",
    timedelta(days=3650),
)  # fmt: skip
