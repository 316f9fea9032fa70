"""Every fault of the sandbox makes exactly its alert fire, with its cause, and healing turns it green."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from playbook.catalogue import Catalogue
from sandbox.breaking import break_stack, heal_stack
from sandbox.faults import FAULTS
from sandbox.faults.workers import make_task, restart
from sandbox.polling import require, until
from tests.conftest import ROOT
from tests.expectations import require_as_expected, require_green

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.embedded import EmbeddedStack
    from sandbox.fault import Fault
    from tests.conftest import Judge


OF_THE_LAST_HOURS = ("throughput-low", "runs-not-recorded", "throughput-idle", "system-new")
BUSY = "00000000-0000-4000-8000-0000000000b0"
WORKED = "worker-00000000-0000-4000-8000-0000000000ab"


@pytest.fixture
def old_sandbox(sandbox: EmbeddedStack) -> Iterator[EmbeddedStack]:
    """A sandbox whose own workers have been at work for hours."""
    sandbox.sql(
        "INSERT INTO task_run (task_id, lease_owner, started_at, finished_at, success)"
        " SELECT id, %s, now() - n * interval '1 minute', now() - n * interval '1 minute', true"
        " FROM task, generate_series(1, 300) AS n WHERE title = 'Minute report'",
        (WORKED,),
    )
    sandbox.sql("UPDATE worker_heartbeat SET created_at = created_at - interval '5 hours'")
    yield sandbox
    heal_stack(sandbox)
    sandbox.sql("DELETE FROM task_run WHERE lease_owner = %s", (WORKED,))
    restart(sandbox, sandbox.workers)


@pytest.fixture
def busy_sandbox(sandbox: EmbeddedStack) -> Iterator[EmbeddedStack]:
    """A sandbox whose young workers have done more than a few items."""
    make_task(sandbox, BUSY, "One of some", '{"id": "go", "uses": "noop"}')
    sandbox.sql("INSERT INTO due_work (task_id, run_at) SELECT %s, now() FROM generate_series(1, 30)", (BUSY,))
    until(lambda: require(not sandbox.sql("SELECT 1 FROM due_work WHERE task_id = %s", (BUSY,)), "items are left"))
    yield sandbox
    heal_stack(sandbox)
    sandbox.sql("DELETE FROM task WHERE id = %s", (BUSY,))
    restart(sandbox, sandbox.workers)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_makes_exactly_its_alert_fire(fault: Fault, sandbox: EmbeddedStack, judge: Judge) -> None:
    _break_judge_and_heal(fault, sandbox, judge)


@pytest.mark.parametrize("name", OF_THE_LAST_HOURS)
def test_a_fault_is_found_where_work_has_gone_on_for_hours(name: str, old_sandbox: EmbeddedStack, judge: Judge) -> None:
    _break_judge_and_heal(FAULTS[name], old_sandbox, judge)


@pytest.mark.parametrize("name", OF_THE_LAST_HOURS)
def test_a_fault_is_found_where_workers_have_just_been_busy(
    name: str, busy_sandbox: EmbeddedStack, judge: Judge
) -> None:
    _break_judge_and_heal(FAULTS[name], busy_sandbox, judge)


def test_a_slow_api_is_explained_by_a_database_that_is_down(sandbox: EmbeddedStack, judge: Judge) -> None:
    for name in ("api-slow", "postgres-stopped"):
        break_stack(sandbox, FAULTS[name])
    latency = judge().alert("HighAPILatency")
    assert (latency["state"], latency["caused_by"]) == ("firing", "OrchestratorDatabaseDown"), latency


def _break_judge_and_heal(fault: Fault, sandbox: EmbeddedStack, judge: Judge) -> None:
    break_stack(sandbox, fault)
    require_as_expected(fault, judge())
    heal_stack(sandbox)
    require_green(judge(*_check_module_of(fault)))


def _check_module_of(fault: Fault) -> tuple[str, ...]:
    """Return the fault's own module: whether anything else is still broken, the next fault's run shows."""
    return (str(Catalogue([ROOT / "checks"]).paths[fault.expect.alert.lower()]),) if fault.expect.alert else ()
