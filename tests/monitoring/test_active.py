"""What `--active` writes: a test alert that comes to its receiver and goes again, against a real Alertmanager."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.target import FILE

if TYPE_CHECKING:
    from sandbox.embedded import EmbeddedStack
    from tests.conftest import Judge

CHECK = "test_a_test_alert_arrives"


def received(stack: EmbeddedStack, of: str = "HealthCheckTest") -> list[str]:
    """Give what Alertmanager has of the test alert, as it lists it and as it told of it."""
    listed = [alert["labels"]["alertname"] for alert in stack.monitoring.ask("alertmanager", "/api/v2/alerts")]
    told = stack.monitoring.notifications.read_text() if stack.monitoring.notifications.exists() else ""
    return [name for name in listed if name == of] + [of] * told.count(of)


@pytest.mark.parametrize("processes", [(), ("-n", "2")], ids=["alone", "in-two-processes"])
def test_a_test_alert_is_sent_seen_and_taken_back(
    processes: tuple[str, ...], watched: EmbeddedStack, judge: Judge
) -> None:
    seen = judge("--active", "-k", "alert_routing_broken", *processes, target=watched.folder / FILE)
    assert seen.status == 0, seen.output
    [check] = [check for check in seen.alert("AlertRoutingBroken")["checks"] if CHECK in check["id"]]
    assert check["outcome"] == "ok"
    commands = [page["command"] for page in check["evidence"]]
    assert sum("-X POST" in command for command in commands) == 2
    assert any("/api/v2/alerts/groups?filter" in command for command in commands)
    assert received(watched) == []


@pytest.mark.parametrize("selection", [(), ("-m", "active"), ("-k", CHECK)], ids=["all", "marker", "keyword"])
def test_without_the_flag_nothing_is_written(selection: tuple[str, ...], watched: EmbeddedStack, judge: Judge) -> None:
    seen = judge(*selection, target=watched.folder / FILE)
    assert seen.status == (5 if selection else 0), seen.output
    assert seen.results is None or CHECK not in str(seen.results["alerts"])
    assert received(watched) == []
