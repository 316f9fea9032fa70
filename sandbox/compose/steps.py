"""Steps of the faults of the compose form, which need containers."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from sandbox.compose.stack import ComposeService, ComposeStack
from sandbox.polling import require
from sandbox.servers import SandboxError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.fault import Stack, Step

__all__ = ["ComposeStack", "on_compose", "require_looping", "require_state"]

RESTARTS = 4  # the wait before each is twice as long as before, so that the container is mostly seen restarting


def on_compose(step: Callable[[ComposeStack], object]) -> Step:
    """Return the step for any stack; it raises SandboxError on one without containers."""

    @wraps(step)
    def taken(stack: Stack) -> object:
        if not isinstance(stack, ComposeStack):
            raise SandboxError("this fault needs a sandbox in containers: `python -m sandbox up --compose`")
        return step(stack)

    return taken


def _attributes(service: ComposeService) -> dict[str, Any]:
    container = service.container
    require(container, f"{service.name} has no container")
    return container.attrs if container else {}


def require_state(service: ComposeService, **expected: object) -> None:
    """Raise NotYet unless the state of the service's container has these values."""
    state = _attributes(service)["State"]
    seen = {name: state.get(name) for name in expected}
    require(seen == expected, f"{service.name} is {seen}")


def require_looping(service: ComposeService) -> None:
    """Raise NotYet unless the container restarts in a loop."""
    attributes = _attributes(service)
    status, restarts = attributes["State"]["Status"], attributes["RestartCount"]
    require(status == "restarting" and restarts >= RESTARTS, f"{service.name} is {status}, restarted {restarts} times")
