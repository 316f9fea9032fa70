"""A fault of the Docker engine itself."""

from __future__ import annotations

from sandbox.compose import engine
from sandbox.compose.steps import ComposeStack, on_compose
from sandbox.fault import Expect, Fault
from sandbox.polling import require

LOOKED_UP = ("postgres", "redis")


def _in_each(stack: ComposeStack, script: str) -> None:
    for service in ("api", "scheduler", "worker"):
        for container in stack.containers(service):
            stack.tell(container, "sh", "-c", script)


def _stop(stack: ComposeStack) -> None:
    # The engine resolves names: without this, a service that reconnects would hang, which is not this fault.
    _in_each(stack, f"for name in {' '.join(LOOKED_UP)}; do getent hosts $name; done >>/etc/hosts")
    engine.daemon().suspend()


def _does_not_answer(stack: ComposeStack) -> None:
    require(not engine.answers(), "the engine answers")
    stack.require_api_healthy()


def _go_on(stack: ComposeStack) -> None:
    engine.daemon().resume()
    lines = "|".join(LOOKED_UP)
    _in_each(stack, f'kept=$(grep -Ev "[[:space:]]({lines})( |$)" /etc/hosts) && echo "$kept" >/etc/hosts')


STOPPED = Fault(
    name="docker-stopped",
    does="suspends the Docker engine: it answers nothing, while the containers and their published ports keep working",
    expect=Expect(None, "unknown"),
    break_=on_compose(_stop),
    took_hold=on_compose(_does_not_answer),
    heal=on_compose(_go_on),
    healed=on_compose(lambda _: require(engine.answers(5), "the engine does not answer")),
)
