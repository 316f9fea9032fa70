"""Faults of silences."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sandbox.fault import Expect, Fault
from sandbox.polling import require

if TYPE_CHECKING:
    from sandbox.stack import Stack

COMMENT = "Scheduled maintenance window"


def _in_force(stack: Stack) -> None:
    active = [silence["comment"] for silence in stack.monitoring.active_silences()]
    require(active == [COMMENT], f"the active silences are {active}")


def _silence(name: str, does: str, cause: str, alert: str, lasts: timedelta) -> Fault:
    return Fault(
        name=name,
        does=does,
        expect=Expect("SilenceTooBroad", "firing", cause),
        break_=lambda stack: stack.monitoring.silence({"alertname": alert}, COMMENT, lasts),
        took_hold=_in_force,
        heal=lambda stack: stack.monitoring.lift_silences(),
    )


HOUR = timedelta(hours=1)
ALL = _silence("silence-all", "silences every alert for an hour", "matches-everything", ".+", HOUR)
SEVERITY_0 = _silence(
    "silence-hides-sev0", "silences NoActiveWorkers for an hour", "hides-severity-0", "NoActiveWorkers", HOUR
)
ENDLESS = _silence(
    "silence-endless", "silences LowTaskThroughput for ten years", "lasts-too-long", "LowTaskThroughput",
    timedelta(days=3650),
)  # fmt: skip
