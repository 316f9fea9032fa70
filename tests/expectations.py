"""What a fault must lead to, compared with the results of a health run."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.fault import Fault
    from tests.conftest import Judgement


def require_as_expected(fault: Fault, seen: Judgement) -> None:
    """Require exactly the fault's alert, its state and first cause, and no others but those that may follow from it."""
    expect = fault.expect
    followers = set(expect.may_follow)
    own = {expect.alert} if expect.alert else set()
    assert seen.status == expect.exit_status, seen.output
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


def require_green(seen: Judgement) -> None:
    """Require that all was judged, and nothing fires."""
    assert seen.status == 0, seen.output
    assert not seen.in_state("firing") | seen.in_state("unknown")


def _explained(seen: Judgement) -> set[str]:
    """Return the alerts that could not be judged because of another one: a consequence of any fault."""
    assert seen.results is not None
    return {alert["name"] for alert in seen.results["alerts"] if alert["state"] == "unknown" and alert["caused_by"]}
