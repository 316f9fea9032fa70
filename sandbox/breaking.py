"""Breaking a sandbox and healing it, with proof of both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import psycopg
from redis.exceptions import RedisError

from sandbox.faults import FAULTS, OF_MONITORING
from sandbox.polling import NotYet, not_yet, until
from sandbox.servers import SandboxError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.fault import Fault
    from sandbox.stack import Stack
    from sandbox.state import Form

# Time limits: most faults take hold within a second. A container in a crash loop restarts at growing intervals.
SECONDS: dict[Form, float] = {"embedded": 20.0, "compose": 60.0}


def known(form: Form, *, monitoring: bool = False) -> dict[str, Fault]:
    """Return the faults of a form of the sandbox, by name."""
    if form == "embedded":
        return FAULTS | OF_MONITORING if monitoring else FAULTS
    from sandbox.compose.faults import FAULTS as OF_COMPOSE  # imports the engine's client, which only this form needs

    return OF_COMPOSE


def named(name: str, form: Form = "embedded", *, monitoring: bool = False) -> Fault:
    """Return the fault of that name; SandboxError where the sandbox has none."""
    faults = known(form, monitoring=monitoring)
    if name in faults:
        return faults[name]
    if name in OF_MONITORING:
        raise SandboxError(f"{name} takes a sandbox with monitoring: `python -m sandbox up --monitoring`")
    raise SandboxError(f"no fault is called {name!r}: `python -m sandbox faults` lists them")


def break_stack(stack: Stack, fault: Fault) -> None:
    """Put a fault into force and return when it has taken hold; SandboxError where it does not."""
    if fault.name in stack.state.broken:
        raise SandboxError(f"{fault.name} is already in force")
    stack.state.broken.append(fault.name)  # first, so that an interrupted one is healed too
    stack.state.save()
    fault.break_(stack)
    _wait(stack, fault.took_hold, f"{fault.name} did not take hold")


def heal_stack(stack: Stack) -> list[str]:
    """Heal every fault, the latest first, and return their names when the stack is healthy again."""
    healed = []
    while stack.state.broken:
        fault = named(stack.state.broken[-1], stack.state.form, monitoring=stack.state.monitoring)
        fault.heal(stack)
        _wait(stack, fault.healed, f"{fault.name} is not healed")
        healed.append(stack.state.broken.pop())
        stack.state.save()
    _wait(stack, lambda _: stack.require_healthy(), "the sandbox is not healthy")
    return healed


def _wait(stack: Stack, check: Callable[[Stack], object], otherwise: str) -> None:
    """Wait until the check passes; SandboxError after the form's time limit."""

    def look() -> None:
        with not_yet("no answer", httpx.HTTPError, psycopg.Error, RedisError):
            check(stack)

    try:
        until(look, SECONDS[stack.state.form])
    except NotYet as error:
        raise SandboxError(f"{otherwise}: {error}") from error
