"""Faults of the scheduler's container."""

from __future__ import annotations

from sandbox.compose.steps import ComposeStack, on_compose, require_looping
from sandbox.fault import Expect, Fault
from sandbox.faults.scheduler import FOLLOWERS, fail_at_start, require_no_jobs, start_again


def _loops(stack: ComposeStack) -> None:
    require_looping(stack.scheduler)
    require_no_jobs(stack)


CRASH_LOOP = Fault(
    name="scheduler-crash-loop",
    does="makes the scheduler exit at every start before it loads any task: it restarts in a loop, and no job exists",
    expect=Expect("SchedulerOffline", "firing", "fails-at-start", FOLLOWERS),
    break_=fail_at_start,
    took_hold=on_compose(_loops),
    heal=start_again,
)
