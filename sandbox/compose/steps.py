"""Steps of the faults of the compose form, which need containers."""

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

RESTARTS = 4  # the wait before each is twice as long as before, so that the container is mostly seen restarting


def on_compose(step: Callable[[ComposeStack], object]) -> Callable[[Stack], object]:
    """Return the step for any stack; it raises SandboxError on one without containers."""

    @wraps(step)
    def taken(stack: Stack) -> object:
        if not isinstance(stack, ComposeStack):
            raise SandboxError("this fault needs a sandbox in containers: `python -m sandbox up --compose`")
        return step(stack)

    return taken


def require_state(service: ComposeService, **expected: object) -> None:
    """Raise NotYet unless the state of the service's container has these values."""
    container = service.container
    require(container, f"{service.name} has no container")
    state: dict[str, Any] = service.there().attrs["State"]
    seen = {name: state.get(name) for name in expected}
    require(seen == expected, f"{service.name} is {seen}")


def require_looping(service: ComposeService) -> None:
    """Raise NotYet unless the container restarts in a loop."""
    container = service.container
    require(container, f"{service.name} has no container")
    attributes = service.there().attrs
    status, restarts = attributes["State"]["Status"], attributes["RestartCount"]
    require(status == "restarting" and restarts >= RESTARTS, f"{service.name} is {status}, restarted {restarts} times")


def require_refused(stack: ComposeStack) -> None:
    """Raise NotYet while something answers at the API's address."""
    try:
        CLIENT.get(f"{stack.api_url}/health/live", timeout=1)
    except httpx.TransportError:
        return
    raise NotYet("the API still answers")


def require_answering(stack: ComposeStack) -> None:
    """Raise NotYet unless the API reports that all is healthy."""
    try:
        document = CLIENT.get(f"{stack.api_url}/health", timeout=2).json()
    except (httpx.TransportError, ValueError) as error:
        raise NotYet(f"the API does not answer: {error!r}") from error
    require(document["status"] == "healthy", f"the API reports {document['status']}")
