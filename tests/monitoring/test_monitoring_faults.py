"""Every fault of monitoring causes exactly its alert, its state and its cause; healing turns it green."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.breaking import break_stack, heal_stack
from sandbox.faults import OF_MONITORING
from sandbox.target import FILE
from tests.expectations import require_as_expected, require_green
from tests.monitoring.conftest import judged_once_settled

if TYPE_CHECKING:
    from sandbox.embedded import EmbeddedStack
    from sandbox.fault import Fault
    from tests.conftest import Judge


@pytest.mark.parametrize("fault", OF_MONITORING.values(), ids=OF_MONITORING)
def test_a_fault_of_monitoring_causes_exactly_its_alert(fault: Fault, watched: EmbeddedStack, judge: Judge) -> None:
    target = watched.folder / FILE
    break_stack(watched, fault)
    require_as_expected(fault, judged_once_settled(judge, target))
    heal_stack(watched)
    require_green(judged_once_settled(judge, target, "checks/monitoring"))
