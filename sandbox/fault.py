"""A fault: a named way to break the sandbox, and the outcome that it must produce."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sandbox.stack import Stack

AlertState = Literal["ok", "firing", "unknown", "noted", "skipped"]


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
    break_: Callable[[Stack], object]
    took_hold: Callable[[Stack], object]
    heal: Callable[[Stack], object]
    healed: Callable[[Stack], object] = lambda _: None  # in any case, the whole stack must be healthy
