"""Faults of the API's response times."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import httpx

from sandbox.fault import Expect, Fault
from sandbox.http import CLIENT
from sandbox.polling import require

if TYPE_CHECKING:
    from sandbox.stack import Stack

ALERT = "HighAPILatency"
TIMEOUT = 5.0
LIMIT = 2.0  # seconds, the playbook's


def _slow(stack: Stack) -> None:
    started = time.monotonic()
    CLIENT.get(f"{stack.api_url}/health/live", timeout=TIMEOUT)
    took = time.monotonic() - started
    require(took > LIMIT, f"the API answered within {took:.2f} s")


def _limited(stack: Stack) -> None:
    status = CLIENT.get(f"{stack.api_url}/health/live", timeout=TIMEOUT).status_code
    require(status == httpx.codes.TOO_MANY_REQUESTS, f"the API answers {status}")


SLOW = Fault(
    name="api-slow",
    does="makes the API wait 2.1 s before every response",
    expect=Expect(ALERT, "firing", "api-slow"),
    break_=lambda stack: stack.switch(api="slow"),
    took_hold=_slow,
    heal=lambda stack: stack.switch(api=""),
)
RATE_LIMITED = Fault(
    name="api-rate-limited",
    does="makes the API answer every request with 429",
    expect=Expect(ALERT, "unknown", may_follow=("OrchestratorAPIDown",)),
    break_=lambda stack: stack.switch(api="rate-limited"),
    took_hold=_limited,
    heal=lambda stack: stack.switch(api=""),
)


def _asked_for_health_alone(stack: Stack) -> None:
    text = CLIENT.get(f"{stack.api_url}/metrics", timeout=TIMEOUT).text
    lines = [line for line in text.splitlines() if line.startswith("orchestrator_http_requests_total{")]
    others = [line for line in lines if 'endpoint="/health' not in line and 'endpoint="/metrics' not in line]
    require(not others, f"other requests: {others}")


def _restart(stack: Stack) -> None:
    stack.api.stop()
    stack.api.start()


IDLE = Fault(
    name="api-idle",
    does="restarts the API, which then gets no request except health checks",
    expect=Expect(ALERT, "ok"),
    break_=_restart,
    took_hold=_asked_for_health_alone,
    heal=lambda _: None,
)
