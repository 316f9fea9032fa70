"""Faults of the API."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal

import httpx

from sandbox.fault import Expect, Fault
from sandbox.http import CLIENT
from sandbox.polling import NotYet, require

if TYPE_CHECKING:
    from sandbox.stack import Stack

ALERT = "OrchestratorAPIDown"
TIMEOUT = 1.0
PATIENCE = 5.0  # where an answer is expected


def _refuses(stack: Stack) -> None:
    try:
        CLIENT.get(f"{stack.api_url}/health", timeout=TIMEOUT)
    except httpx.ConnectError:
        return
    raise NotYet("the API still accepts connections")


def _never_answers(stack: Stack) -> None:
    try:
        CLIENT.get(f"{stack.api_url}/health/live", timeout=TIMEOUT)
    except httpx.TimeoutException:
        return
    raise NotYet("the API still answers")


def _answers(stack: Stack, status: int, kind: Literal["json", "html"]) -> None:
    response = CLIENT.get(f"{stack.api_url}/health", timeout=PATIENCE)
    require(
        response.status_code == status and kind in response.headers["content-type"],
        f"the API answers {response.status_code}, {response.headers['content-type']}",
    )


STOPPED = Fault(
    name="api-stopped",
    does="stops the API, so that nothing listens on its port",
    expect=Expect(ALERT, "firing", "api-not-listening"),
    break_=lambda stack: stack.api.stop(),
    took_hold=_refuses,
    heal=lambda stack: stack.api.start(),
)
HUNG = Fault(
    name="api-hung",
    does="suspends the API: connections are accepted, no request is answered",
    expect=Expect(ALERT, "firing", "api-hung"),
    break_=lambda stack: stack.api.freeze(),
    took_hold=_never_answers,
    heal=lambda stack: stack.api.thaw(),
)
ERROR = Fault(
    name="api-error",
    does="makes the API answer every request with 500",
    expect=Expect(ALERT, "firing", "api-error"),
    break_=lambda stack: stack.switch(api="error"),
    took_hold=partial(_answers, status=500, kind="json"),
    heal=lambda stack: stack.switch(api=""),
)
GARBAGE = Fault(
    name="api-garbage",
    does="makes the API answer every request with 200 and an HTML page",
    expect=Expect(ALERT, "firing", "not-a-health-document"),
    break_=lambda stack: stack.switch(api="garbage"),
    took_hold=partial(_answers, status=200, kind="html"),
    heal=lambda stack: stack.switch(api=""),
)
