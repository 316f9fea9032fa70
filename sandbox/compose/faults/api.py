"""Faults of the API's container."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from sandbox.compose.inside import CRASH, LEAK
from sandbox.compose.steps import ComposeStack, on_compose, require_looping, require_state
from sandbox.fault import Expect, Fault, Step, suspended
from sandbox.http import require_answer, require_no_answer
from sandbox.polling import require
from sandbox.servers import SandboxError

if TYPE_CHECKING:
    from collections.abc import Callable

ALERT = "OrchestratorAPIDown"
LIMIT = "160m"  # twice what the API needs
SQUATTER = "squatter"
NOTHING_THERE = "http://localhost:8088/health"

_down = partial(Expect, ALERT, "firing")


# -- removed


def _removed(stack: ComposeStack) -> None:
    require(not stack.api.container, "the API still has a container")
    require_no_answer(f"{stack.api_url}/health/live")


# -- ended


def _crash(stack: ComposeStack) -> None:
    # The engine does not restart a container that it sent a signal: it assumes that the container is to end.
    stack.api.there().kill(CRASH)


def _leak(stack: ComposeStack) -> None:
    container = stack.api.there()
    container.update(mem_limit=LIMIT, memswap_limit=LIMIT)
    container.kill(LEAK)


def _ended(code: int, *, out_of_memory: bool = False) -> Step:
    def check(stack: ComposeStack) -> None:
        require_state(stack.api, Status="exited", ExitCode=code, OOMKilled=out_of_memory)
        require_no_answer(f"{stack.api_url}/health/live")

    return on_compose(check)


# -- changed settings


def _changed(
    name: str, does: str, expect: Expect, change: dict[str, object], took_hold: Callable[[ComposeStack], object]
) -> Fault:
    """Return the fault of an API with other settings in compose.yaml."""

    def break_(stack: ComposeStack) -> None:
        stack.override(name, {"services": {"api": change}})
        stack.recreate("api")

    def heal(stack: ComposeStack) -> None:
        stack.override(name, None)
        stack.api.renew()

    return Fault(name, does, expect, on_compose(break_), on_compose(took_hold), on_compose(heal))


def _unhealthy(stack: ComposeStack) -> None:
    health = stack.api.there().attrs["State"].get("Health", {}).get("Status")
    require(health == "unhealthy", f"the API's container is {health}")
    stack.require_api_healthy()


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
    require_answer(f"{stack.api_url}/health", 404)


def _give_port_back(stack: ComposeStack) -> None:
    if squatter := stack.found(SQUATTER):
        squatter.remove(force=True)
    stack.api.remove()
    stack.api.start()


def _never_answers(stack: ComposeStack) -> None:
    require_state(stack.api, Status="paused")
    require_no_answer(f"{stack.api_url}/health/live")


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
    heal=on_compose(lambda stack: stack.api.renew()),
)
CRASH_LOOP = _changed(
    "api-crash-loop",
    "gives the API a setting that it cannot parse, so that it exits at every start",
    _down("configuration-error"),
    {"environment": {"RATE_LIMIT_PER_MINUTE": "sixty"}},
    lambda stack: require_looping(stack.api),
)
PORT_TAKEN = Fault(
    name="api-port-taken",
    does="publishes the API's port from another container, so that the API's container cannot start",
    expect=_down("port-conflict"),
    break_=on_compose(_take_port),
    took_hold=on_compose(_port_taken),
    heal=on_compose(_give_port_back),
)
PAUSED = suspended(
    "api-paused", "pauses the API's container", _down("container-paused"), "api", on_compose(_never_answers)
)
UNHEALTHY = _changed(
    "container-unhealthy",
    "points the health check of the API's container at a port where nothing listens; the API is healthy",
    Expect(ALERT, "noted", "container-unhealthy"),
    {"healthcheck": {"test": f"curl --fail --silent --show-error {NOTHING_THERE}", "interval": "1s", "retries": 2}},
    _unhealthy,
)
