"""Every fault breaks the sandbox, proves it, and heals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.breaking import break_stack, heal_stack
from sandbox.embedded import EmbeddedStack
from sandbox.fault import Expect
from sandbox.faults import FAULTS
from sandbox.servers import SandboxError
from sandbox.state import State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.fault import Fault


@pytest.fixture
def stack(running: EmbeddedStack) -> Iterator[EmbeddedStack]:
    """Return a healthy sandbox, and heal what a failing test leaves broken."""
    yield running
    heal_stack(running)


@pytest.mark.parametrize("name", ["api-error", "workers-stopped", "postgres-stopped"])
def test_a_fault_is_healed_by_another_command_than_broke_it(stack: EmbeddedStack, name: str) -> None:
    """That every fault takes hold and heals is seen where each is judged, in tests/test_faults.py."""
    break_stack(stack, FAULTS[name])
    assert State.load(stack.folder).broken == [name]
    assert heal_stack(EmbeddedStack.load(stack.folder)) == [name]
    stack.state = State.load(stack.folder)
    stack.require_healthy()


def test_several_faults_heal_together(stack: EmbeddedStack) -> None:
    names = ["api-hung", "redis-hung", "postgres-hung"]
    for name in names:
        break_stack(stack, FAULTS[name])
    assert heal_stack(stack) == names[::-1]


def test_a_fault_is_not_put_in_twice(stack: EmbeddedStack) -> None:
    break_stack(stack, FAULTS["errors-in-the-log"])
    with pytest.raises(SandboxError, match="in force already"):
        break_stack(stack, FAULTS["errors-in-the-log"])


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_an_expectation_is_whole(fault: Fault) -> None:
    """What fires, is noted or skipped has a cause to be named; nothing else has one."""
    expect = fault.expect
    assert (expect.cause is not None) == (expect.state in ("firing", "noted", "skipped"))
    assert expect.alert not in expect.may_follow
    assert fault.does[0].islower()


@pytest.mark.parametrize(("state", "status"), [("firing", 1), ("unknown", 6), ("noted", 0), ("ok", 0), ("skipped", 0)])
def test_the_exit_status_follows_from_the_state(state: str, status: int) -> None:
    assert Expect("AnyAlert", state).exit_status == status  # type: ignore[arg-type]
