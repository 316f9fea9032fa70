"""Faults of the API's container."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from sandbox.compose.inside import CRASH, LEAK
from sandbox.compose.steps import on_compose, require_answering, require_looping, require_refused, require_state
from sandbox.fault import Expect, Fault
from sandbox.http import CLIENT
from sandbox.polling import NotYet, require
from sandbox.servers import SandboxError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.compose.stack import ComposeStack
    from sandbox.stack import Stack

ALERT = "OrchestratorAPIDown"
LIMIT = "160m"  # twice what the API needs
SQUATTER = "squatter"


def _down(cause: str) -> Expect:
    return Expect(ALERT, "firing", cause)


# -- removed


def _removed(stack: ComposeStack) -> None:
    require(not stack.api.container, "the API still has a container")
    require_refused(stack)


# -- ended


def _crash(stack: ComposeStack) -> None:
    # The engine does not restart a container that it sent a signal: it assumes that the container is to end.
    stack.api.there().kill(CRASH)


def _leak(stack: ComposeStack) -> None:
    container = stack.api.there()
    container.update(mem_limit=LIMIT, memswap_limit=LIMIT)
    container.kill(LEAK)


def _ended(code: int, *, out_of_memory: bool = False) -> Callable[[Stack], object]:
    def check(stack: ComposeStack) -> None:
        require_state(stack.api, Status="exited", ExitCode=code, OOMKilled=out_of_memory)
        require_refused(stack)

    return on_compose(check)


def _renew(stack: ComposeStack) -> None:
    stack.recreate("api")
    stack.api.wait_ready()


# -- changed settings


def _set_badly(stack: ComposeStack) -> None:
    stack.override("api-crash-loop", {"services": {"api": {"environment": {"RATE_LIMIT_PER_MINUTE": "sixty"}}}})
    stack.recreate("api")


def _set_well(stack: ComposeStack) -> None:
    stack.override("api-crash-loop", None)
    _renew(stack)


def _look_elsewhere(stack: ComposeStack) -> None:
    elsewhere = {
        "test": "curl --fail --silent --show-error http://localhost:8088/health",
        "interval": "1s",
        "retries": 2,
    }
    stack.override("container-unhealthy", {"services": {"api": {"healthcheck": elsewhere}}})
    stack.recreate("api")


def _unhealthy(stack: ComposeStack) -> None:
    health = stack.api.there().attrs["State"].get("Health", {}).get("Status")
    require(health == "unhealthy", f"the API's container is {health}")
    require_answering(stack)


def _look_right(stack: ComposeStack) -> None:
    stack.override("container-unhealthy", None)
    _renew(stack)


# -- the port


def _take_port(stack: ComposeStack) -> None:
    stack.api.remove()
    port = stack.state.ports["api"]
    stack.helper(SQUATTER, ["python3", "-m", "http.server", "8000"], ports={"8000/tcp": ("127.0.0.1", port)})
    try:
        stack.compose("up", "--detach", "--no-deps", "api")
    except SandboxError:
        return  # its port is taken, as intended
    raise SandboxError("the API got its port although another container publishes it")


def _port_taken(stack: ComposeStack) -> None:
    require_state(stack.api, Running=False)
    error = stack.api.there().attrs["State"]["Error"]
    require("already allocated" in error or "in use" in error, f"the engine reports {error!r} for the API's container")
    try:
        answer = CLIENT.get(f"{stack.api_url}/health", timeout=1)
    except httpx.TransportError as error:
        raise NotYet(f"nothing answers on the API's port: {error!r}") from error
    require(answer.status_code == 404, f"the API's port answers {answer.status_code}")


def _give_port_back(stack: ComposeStack) -> None:
    if squatter := stack.found(SQUATTER):
        squatter.remove(force=True)
    stack.api.remove()
    stack.api.start()


def _never_answers(stack: ComposeStack) -> None:
    require_state(stack.api, Status="paused")
    require_refused(stack)


REMOVED = Fault(
    name="api-removed",
    does="removes the API's container",
    expect=_down("container-missing"),
    break_=on_compose(lambda stack: stack.api.remove()),
    took_hold=on_compose(_removed),
    heal=lambda stack: stack.api.start(),
)
CRASHED = Fault(
    name="api-crashed",
    does="makes the API exit with code 1 and stay down",
    expect=_down("container-crashed"),
    break_=on_compose(_crash),
    took_hold=_ended(1),
    heal=lambda stack: stack.api.start(),
)
KILLED = Fault(
    name="api-killed",
    does="kills the API with SIGKILL: exit code 137 without an OOM kill",
    expect=_down("container-crashed"),
    break_=on_compose(lambda stack: stack.api.there().kill()),
    took_hold=_ended(137),
    heal=lambda stack: stack.api.start(),
)
OOM_KILLED = Fault(
    name="api-oom-killed",
    does=f"limits the API's memory to {LIMIT} and makes the API grow until it is OOM-killed",
    expect=_down("out-of-memory"),
    break_=on_compose(_leak),
    took_hold=_ended(137, out_of_memory=True),
    heal=on_compose(_renew),
)
CRASH_LOOP = Fault(
    name="api-crash-loop",
    does="gives the API a setting that it cannot parse, so that it exits at every start",
    expect=_down("configuration-error"),
    break_=on_compose(_set_badly),
    took_hold=on_compose(lambda stack: require_looping(stack.api)),
    heal=on_compose(_set_well),
)
PORT_TAKEN = Fault(
    name="api-port-taken",
    does="publishes the API's port from another container, so that the API's container cannot start",
    expect=_down("port-conflict"),
    break_=on_compose(_take_port),
    took_hold=on_compose(_port_taken),
    heal=on_compose(_give_port_back),
)
PAUSED = Fault(
    name="api-paused",
    does="pauses the API's container",
    expect=_down("container-paused"),
    break_=lambda stack: stack.api.freeze(),
    took_hold=on_compose(_never_answers),
    heal=lambda stack: stack.api.thaw(),
)
UNHEALTHY = Fault(
    name="container-unhealthy",
    does="points the health check of the API's container at a port where nothing listens; the API is healthy",
    expect=Expect(ALERT, "noted", "container-unhealthy"),
    break_=on_compose(_look_elsewhere),
    took_hold=on_compose(_unhealthy),
    heal=on_compose(_look_right),
)
