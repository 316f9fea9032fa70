"""Every fault of the sandbox gives exactly its alert, its state and its cause, and healing turns it green."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.breaking import break_stack, heal_stack
from sandbox.faults import FAULTS

if TYPE_CHECKING:
    from sandbox.embedded import EmbeddedStack
    from sandbox.fault import Fault
    from tests.conftest import Judge, Judgement


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_gives_exactly_its_alert(fault: Fault, sandbox: EmbeddedStack, judge: Judge) -> None:
    break_stack(sandbox, fault)
    broken = judge()
    assert broken.status == fault.expect.exit_status, broken.output
    _as_expected(fault, broken)
    heal_stack(sandbox)
    healed = judge()
    assert healed.status == 0, healed.output
    assert not healed.in_state("firing") | healed.in_state("unknown")


def _as_expected(fault: Fault, seen: Judgement) -> None:
    expect = fault.expect
    followers = set(expect.may_follow)
    own = {expect.alert} if expect.alert else set()
    assert seen.in_state("firing") <= followers | (own if expect.state == "firing" else set()), seen.output
    assert seen.in_state("unknown") <= followers | own | _explained(seen), seen.output
    if expect.alert is None:
        return
    alert = seen.alert(expect.alert)
    if expect.state in ("noted", "skipped"):
        assert alert["state"] == "ok", seen.output
        causes = [check["cause"] for check in alert["checks"] if check["outcome"] == expect.state]
        assert expect.cause is None or expect.cause in causes, seen.output
        return
    assert alert["state"] == expect.state, seen.output
    if expect.state == "firing":
        assert alert["causes"], seen.output
        assert alert["causes"][0]["name"] == expect.cause, seen.output
        assert alert["caused_by"] is None, seen.output


def _explained(seen: Judgement) -> set[str]:
    """Alerts that could not be judged because of another one: a consequence, whichever fault it is."""
    assert seen.results is not None
    return {alert["name"] for alert in seen.results["alerts"] if alert["state"] == "unknown" and alert["caused_by"]}
