"""A fault: a named way to break the sandbox, and what must come of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sandbox.stack import Stack

AlertState = Literal["ok", "firing", "unknown", "noted", "skipped"]


@dataclass(frozen=True)
class Expect:
    """What a health run must say while the sandbox is broken so."""

    alert: str | None
    state: AlertState
    cause: str | None = None
    may_follow: tuple[str, ...] = ()  # alerts that are not ok either, as a consequence

    @property
    def exit_status(self) -> int:
        """The exit status of a health run."""
        return {"firing": 1, "unknown": 6}.get(self.state, 0)


@dataclass(frozen=True)
class Fault:
    """A named way to break the sandbox.

    `took_hold` and `healed` raise NotYet as long as it is not so; they are asked again for a bounded time.
    """

    name: str
    does: str
    expect: Expect
    break_: Callable[[Stack], object]
    took_hold: Callable[[Stack], object]
    heal: Callable[[Stack], object]
    healed: Callable[[Stack], object] = lambda _: None  # the whole stack must be healthy as well
