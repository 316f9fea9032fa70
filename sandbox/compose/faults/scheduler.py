"""Faults of the scheduler's container."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.compose.steps import on_compose, require_looping
from sandbox.fault import Expect, Fault
from sandbox.faults.scheduler import FOLLOWERS
from sandbox.polling import require

if TYPE_CHECKING:
    from sandbox.compose.stack import ComposeStack


def _fail(stack: ComposeStack) -> None:
    stack.scheduler.stop()
    stack.sql("DELETE FROM apscheduler_jobs")
    stack.switch(scheduler_fails=True)
    stack.scheduler.there().start()


def _fails(stack: ComposeStack) -> None:
    require_looping(stack.scheduler)
    require(not stack.sql("SELECT 1 FROM apscheduler_jobs"), "there are jobs")


def _let_it_start(stack: ComposeStack) -> None:
    stack.switch(scheduler_fails=False)
    stack.scheduler.stop()
    stack.scheduler.start()


CRASH_LOOP = Fault(
    name="scheduler-crash-loop",
    does="lets the scheduler end at every start before it has loaded any task: it is restarted, and no job exists",
    expect=Expect("SchedulerOffline", "firing", "fails-at-start", FOLLOWERS),
    break_=on_compose(_fail),
    took_hold=on_compose(_fails),
    heal=on_compose(_let_it_start),
)
