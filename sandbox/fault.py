"""A fault: a named way to break the sandbox, and the outcome that it must produce."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sandbox.monitoring.configuration import Document
from sandbox.stack import Stack

__all__ = ["Consequence", "Document", "Expect", "Fault", "Stack", "Step", "configured", "stopped", "suspended"]

AlertState = Literal["ok", "firing", "unknown", "noted", "skipped"]
Step = Callable[[Stack], object]


@dataclass(frozen=True)
class Expect:
    """The outcome of a health run while a fault is in force."""

    alert: str | None
    state: AlertState
    cause: str | None = None
    may_follow: tuple[str, ...] = ()  # other alerts that may not be ok, as a consequence

    @property
    def exit_status(self) -> int:
        """The exit status of a health run."""
        return {"firing": 1, "unknown": 6}.get(self.state, 0)


@dataclass(frozen=True)
class Fault:
    """A named way to break the sandbox.

    `took_hold` and `healed` raise NotYet until they are true; they are called again for a bounded time.
    """

    name: str
    does: str
    expect: Expect
    break_: Step
    took_hold: Step
    heal: Step
    healed: Step = lambda _: None  # in any case, the whole stack must be healthy


@dataclass(frozen=True)
class Consequence:
    """An alert that may not be ok either while some faults of other alerts are in force.

    It stands beside the faults of that alert, so that a new alert changes no other file: `of` names the faults.
    """

    alert: str
    of: tuple[str, ...]


# -- families of faults


def stopped(name: str, does: str, expect: Expect, service: str, took_hold: Step) -> Fault:
    """Return the fault of a service that is stopped."""

    def heal(stack: Stack) -> None:
        stack.service(service).start()

    return Fault(name, does, expect, lambda stack: stack.service(service).stop(), took_hold, heal)


def suspended(name: str, does: str, expect: Expect, service: str, took_hold: Step) -> Fault:
    """Return the fault of a service whose processes are all suspended."""

    def heal(stack: Stack) -> None:
        stack.service(service).thaw()

    return Fault(name, does, expect, lambda stack: stack.service(service).freeze(), took_hold, heal)


def configured(
    name: str, does: str, expect: Expect, change: Callable[[Document], object], took_hold: Step, *, server: str
) -> Fault:
    """Return the fault of a server of the monitoring whose configuration is changed."""

    def heal(stack: Stack) -> None:
        stack.monitoring.reconfigure(server)

    return Fault(name, does, expect, lambda stack: stack.monitoring.reconfigure(server, change), took_hold, heal)
