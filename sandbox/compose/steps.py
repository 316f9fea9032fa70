"""What the faults of the compose form are written in: steps that need containers, and what is asked of these."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

import httpx

from sandbox.compose.stack import ComposeStack
from sandbox.http import CLIENT
from sandbox.polling import NotYet, require
from sandbox.servers import SandboxError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.compose.stack import ComposeService
    from sandbox.stack import Stack

RESTARTS = 4  # the engine waits twice as long before each: whoever looks sees it waiting, or run for a moment


def on_compose(step: Callable[[ComposeStack], object]) -> Callable[[Stack], object]:
    """Make a step that needs containers one that takes any stack, and refuses one that has none."""

    @wraps(step)
    def taken(stack: Stack) -> object:
        if not isinstance(stack, ComposeStack):
            raise SandboxError("this fault needs a sandbox in containers: `python -m sandbox up --compose`")
        return step(stack)

    return taken


def require_state(service: ComposeService, **expected: object) -> None:
    """Raise NotYet unless the engine says this of the state of the service's container."""
    container = service.container
    require(container, f"{service.name} has no container")
    state: dict[str, Any] = service.there().attrs["State"]
    seen = {name: state.get(name) for name in expected}
    require(seen == expected, f"{service.name} is {seen}")


def require_looping(service: ComposeService) -> None:
    """Raise NotYet unless the container has ended at its start again and again."""
    container = service.container
    require(container, f"{service.name} has no container")
    attributes = service.there().attrs
    status, restarts = attributes["State"]["Status"], attributes["RestartCount"]
    require(status == "restarting" and restarts >= RESTARTS, f"{service.name} is {status}, restarted {restarts} times")


def require_refused(stack: ComposeStack) -> None:
    """Raise NotYet while something takes connections at the API's address and answers."""
    try:
        CLIENT.get(f"{stack.api_url}/health/live", timeout=1)
    except httpx.TransportError:
        return
    raise NotYet("the API still answers")


def require_answering(stack: ComposeStack) -> None:
    """Raise NotYet unless the API says that all is well."""
    try:
        document = CLIENT.get(f"{stack.api_url}/health", timeout=2).json()
    except (httpx.TransportError, ValueError) as error:
        raise NotYet(f"the API does not answer: {error!r}") from error
    require(document["status"] == "healthy", f"the API says {document['status']}")
