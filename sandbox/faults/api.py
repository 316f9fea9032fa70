"""Faults of the API and of its response times."""

from __future__ import annotations

import time
from functools import partial

import httpx

from sandbox.fault import Expect, Fault, Stack, Step, stopped, suspended
from sandbox.http import CLIENT, require_answer, require_no_answer
from sandbox.polling import require

LATENCY = "HighAPILatency"
LIMIT = 2.0  # seconds, the playbook's

_down = partial(Expect, "OrchestratorAPIDown", "firing")


def _refuses(stack: Stack) -> None:
    require_no_answer(f"{stack.api_url}/health", httpx.ConnectError)


def _never_answers(stack: Stack) -> None:
    require_no_answer(f"{stack.api_url}/health/live", httpx.TimeoutException)


def _answers(status: int, content: str) -> Step:
    return lambda stack: require_answer(f"{stack.api_url}/health", status, content)


def _answers_of_old(stack: Stack) -> None:
    written = CLIENT.get(f"{stack.api_url}/health", timeout=5).json()["timestamp"]
    require(written.startswith("2025"), f"the document is of {written}")


def _slow(stack: Stack) -> None:
    started = time.monotonic()
    CLIENT.get(f"{stack.api_url}/health/live", timeout=5)
    took = time.monotonic() - started
    require(took > LIMIT, f"the API answered within {took:.2f} s")


def _asked_for_health_alone(stack: Stack) -> None:
    text = CLIENT.get(f"{stack.api_url}/metrics", timeout=5).text
    lines = [line for line in text.splitlines() if line.startswith("orchestrator_http_requests_total{")]
    others = [line for line in lines if 'endpoint="/health' not in line and 'endpoint="/metrics' not in line]
    require(not others, f"other requests: {others}")


def _restart(stack: Stack) -> None:
    stack.api.stop()
    stack.api.start()


def _switched(name: str, does: str, expect: Expect, took_hold: Step) -> Fault:
    """Return the fault of an API that misbehaves as the switch in the fault's name says."""

    def break_(stack: Stack) -> None:
        stack.switch(api=name.removeprefix("api-"))

    return Fault(name, does, expect, break_, took_hold, lambda stack: stack.switch(api=""))


STOPPED = stopped(
    "api-stopped", "stops the API, so that nothing listens on its port", _down("api-not-listening"), "api", _refuses
)
HUNG = suspended(
    "api-hung",
    "suspends the API: connections are accepted, no request is answered",
    _down("api-hung"),
    service="api",
    took_hold=_never_answers,
)
ERROR = _switched("api-error", "makes the API answer every request with 500", _down("api-error"), _answers(500, "json"))
GARBAGE = _switched(
    "api-garbage",
    "makes the API answer every request with 200 and an HTML page",
    _down("not-a-health-document"),
    _answers(200, "html"),
)
STALE = _switched(
    "api-stale",
    "makes the API answer health checks with a document of last year, in which all is healthy",
    Expect("OrchestratorAPIDown", "unknown", may_follow=(LATENCY,)),
    _answers_of_old,
)
SLOW = _switched(
    "api-slow", "makes the API wait 2.1 s before every response", Expect(LATENCY, "firing", "api-slow"), _slow
)
RATE_LIMITED = _switched(
    "api-rate-limited",
    "makes the API answer every request with 429",
    Expect(LATENCY, "unknown", may_follow=("OrchestratorAPIDown",)),
    _answers(429, "json"),
)
IDLE = Fault(
    name="api-idle",
    does="restarts the API, which then gets no request except health checks",
    expect=Expect(LATENCY, "ok"),
    break_=_restart,
    took_hold=_asked_for_health_alone,
    heal=lambda _: None,
)
