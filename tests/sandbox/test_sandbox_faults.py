"""Every fault breaks the sandbox, proves it, and heals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox import disk
from sandbox.breaking import break_stack, heal_stack
from sandbox.embedded import EmbeddedStack
from sandbox.fault import Expect
from sandbox.faults import FAULTS, OF_MONITORING
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
    """That every fault takes hold and heals is seen where each is judged, in tests/sandbox/test_faults.py."""
    break_stack(stack, FAULTS[name])
    assert State.load(stack.folder).broken == [name]
    assert heal_stack(EmbeddedStack.load(stack.folder)) == [name]
    stack.state = State.load(stack.folder)
    stack.require_healthy()


def remembered(stack: EmbeddedStack) -> list[tuple[object, ...]]:
    """Return what faults move about in the tables, and must bring back."""
    return [
        *stack.sql("SELECT name, created_at FROM agent ORDER BY name"),
        *stack.sql("SELECT worker_id, created_at FROM worker_heartbeat WHERE last_seen < now() - interval '1 d'"),
        *stack.sql("SELECT count(*), min(started_at), max(created_at) FROM task_run WHERE lease_owner = 'worker-1'"),
        *stack.sql("SELECT title, status FROM task ORDER BY title"),
    ]


@pytest.mark.parametrize("name", ["system-new", "throughput-idle", "nothing-scheduled"])
def test_healing_brings_back_what_was_moved(stack: EmbeddedStack, name: str) -> None:
    before = remembered(stack)
    break_stack(stack, FAULTS[name])
    assert remembered(stack) != before
    heal_stack(stack)
    assert remembered(stack) == before


@pytest.mark.parametrize("name", ["nothing-scheduled", "system-new", "statements-extension-missing", "inodes-low"])
def test_a_fault_that_was_interrupted_before_it_began_heals(stack: EmbeddedStack, name: str) -> None:
    stack.state.broken.append(name)
    assert heal_stack(stack) == [name]


def test_a_disk_is_full_for_real_or_the_limit_is_moved(stack: EmbeddedStack, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise SandboxError("mount does not work here")

    monkeypatch.setattr(disk, "attach", fail)
    break_stack(stack, FAULTS["disk-low"])
    text = (stack.folder / "target.toml").read_text()
    assert "\nfree = 1.0\n" in text
    assert str(disk.place_of(stack.folder)) not in text


def test_several_faults_heal_together(stack: EmbeddedStack) -> None:
    names = ["api-hung", "redis-hung", "postgres-hung"]
    for name in names:
        break_stack(stack, FAULTS[name])
    assert heal_stack(stack) == names[::-1]


def test_a_fault_is_not_put_in_twice(stack: EmbeddedStack) -> None:
    break_stack(stack, FAULTS["errors-in-the-log"])
    with pytest.raises(SandboxError, match="already in force"):
        break_stack(stack, FAULTS["errors-in-the-log"])


@pytest.mark.parametrize("fault", [*FAULTS.values(), *OF_MONITORING.values()], ids=[*FAULTS, *OF_MONITORING])
def test_an_expectation_is_whole(fault: Fault) -> None:
    """What fires, is noted or skipped has a cause to be named; nothing else has one."""
    expect = fault.expect
    assert (expect.cause is not None) == (expect.state in ("firing", "noted", "skipped"))
    assert expect.alert not in expect.may_follow
    assert fault.does[0].islower()


@pytest.mark.parametrize(("state", "status"), [("firing", 1), ("unknown", 6), ("noted", 0), ("ok", 0), ("skipped", 0)])
def test_the_exit_status_follows_from_the_state(state: str, status: int) -> None:
    assert Expect("AnyAlert", state).exit_status == status  # type: ignore[arg-type]
