"""A fault of the Docker engine itself."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import psutil

from sandbox.compose import engine
from sandbox.compose.steps import on_compose, require_answering
from sandbox.fault import Expect, Fault
from sandbox.polling import require
from sandbox.servers import SandboxError

if TYPE_CHECKING:
    from sandbox.compose.stack import ComposeStack


def _daemon() -> psutil.Process:
    if not engine.address().startswith("unix:"):
        raise SandboxError(f"the engine at {engine.address()} is not a process of this machine")
    found = [each for each in psutil.process_iter() if each.name() == "dockerd"]
    if len(found) != 1:
        raise SandboxError(f"{len(found)} processes are called dockerd: which one is not to be guessed")
    return found[0]


def _stop(_: ComposeStack) -> None:
    _daemon().send_signal(signal.SIGSTOP)


def _does_not_answer(stack: ComposeStack) -> None:
    require(not engine.answers(), "the engine answers")
    require_answering(stack)


def go_on(_: ComposeStack) -> None:
    """Let the engine go on."""
    _daemon().send_signal(signal.SIGCONT)


STOPPED = Fault(
    name="docker-stopped",
    does="suspends the engine: it answers nothing, while the containers and their published ports work on",
    expect=Expect(None, "unknown"),
    break_=on_compose(_stop),
    took_hold=on_compose(_does_not_answer),
    heal=on_compose(go_on),
    healed=on_compose(lambda _: require(engine.answers(5), "the engine does not answer")),
)
