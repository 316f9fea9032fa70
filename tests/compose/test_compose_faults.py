"""Every fault of the compose form breaks the sandbox, proves it, causes exactly its alert, and heals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.breaking import break_stack, heal_stack
from sandbox.compose import engine
from sandbox.compose.faults import FAULTS, OWN
from sandbox.compose.stack import OURS, ComposeStack
from sandbox.embedded import EmbeddedStack
from sandbox.faults import FAULTS as EMBEDDED
from sandbox.servers import SandboxError
from sandbox.state import State
from tests.conftest import health_run
from tests.expectations import require_as_expected, require_green

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.fault import Fault
    from tests.conftest import Judgement

# Of the faults that both forms have, one of each verb: they are proved one by one on the embedded form.
SHARED = ["api-error", "postgres-starting", "postgres-no-connections-left", "redis-stopped", "scheduler-fails-at-start",
          "workers-stopped", "backup-truncated", "role-without-monitor-rights"]  # fmt: skip


# While the engine does not answer nothing can be discovered: the settings name the addresses.
NAMED = ["docker-stopped"]
NOT_FOUND = "did not answer in time"


@pytest.mark.docker
@pytest.mark.parametrize("name", [*OWN, *SHARED])
def test_a_fault_causes_exactly_its_alert_and_heals(sandbox: ComposeStack, name: str, tmp_path: Path) -> None:
    target = f"--target={sandbox.folder / 'target.toml'}" if name in NAMED else f"--project={sandbox.project}"
    break_stack(sandbox, FAULTS[name])
    assert State.load(sandbox.folder).broken == [name]
    if name in OWN:
        require_as_expected(OWN[name], health_run(tmp_path / "output", target))
    if name in NAMED:
        require_unknown(health_run(tmp_path / "output"))
    # Healed by another command than the one that broke it.
    assert heal_stack(ComposeStack.load(sandbox.folder)) == [name]
    sandbox.state = State.load(sandbox.folder)
    sandbox.require_healthy()
    if name in OWN:
        require_green(health_run(tmp_path / "output", target))
    assert not sandbox.state.notes
    only: dict[str, str | list[str] | bool] = {"label": f"{OURS}={sandbox.project}"}
    services = {service.there().id for service in sandbox.services}
    assert {each.id for each in sandbox.docker.containers.list(all=True, filters=only)} == services
    assert sandbox.docker.volumes.list(filters=only) == []


def require_unknown(seen: Judgement) -> None:
    """Nothing is known of Ordinaut, and one line says why; this host is judged."""
    assert seen.status == 6, seen.output
    assert seen.in_state("firing") == set()
    assert {"OrchestratorAPIDown", "OrchestratorDatabaseDown", "NoActiveWorkers"} <= seen.in_state("unknown")
    assert {"DiskSpaceCritical", "MemoryUsageCritical"} <= seen.in_state("ok")
    (line,) = [line for line in seen.output.splitlines() if line.startswith("target: ")]
    assert line.endswith(f"not found: the Docker engine at {engine.address()} {NOT_FOUND}")


@pytest.mark.docker
def test_several_faults_heal_together(sandbox: ComposeStack) -> None:
    names = ["container-unhealthy", "api-paused", "redis-out-of-memory"]
    for name in names:
        break_stack(sandbox, FAULTS[name])
    assert heal_stack(sandbox) == names[::-1]


@pytest.mark.parametrize("fault", OWN.values(), ids=OWN)
def test_an_expectation_is_whole(fault: Fault) -> None:
    """What fires or is noted has a cause to be named; nothing else has one."""
    expect = fault.expect
    assert (expect.cause is not None) == (expect.state in ("firing", "noted"))
    assert expect.alert not in expect.may_follow
    assert fault.does[0].islower()


def test_no_fault_hides_another() -> None:
    assert not OWN.keys() & EMBEDDED.keys()


def test_a_fault_of_containers_is_refused_without_them(tmp_path: Path) -> None:
    stack = EmbeddedStack(State(tmp_path))
    with pytest.raises(SandboxError, match="needs a sandbox in containers"):
        OWN["api-removed"].break_(stack)
