"""The test alert of `--active`: it reaches its receiver and is taken back, against a real Alertmanager."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from fixtures.monitoring.notification import LABELS
from sandbox.http import CLIENT
from sandbox.target import FILE

if TYPE_CHECKING:
    from sandbox.embedded import EmbeddedStack
    from tests.conftest import Judge

NAME, CHECK = LABELS["alertname"], "test_a_test_alert_arrives"
Received = Callable[[], list[str]]


@pytest.fixture
def received(watched: EmbeddedStack) -> Received:
    """Return its name for each time Alertmanager has it, or has notified of it since the test began."""
    file = watched.monitoring.notifications
    before = file.stat().st_size if file.exists() else 0

    def of_the_test_alert() -> list[str]:
        listed = [alert["labels"]["alertname"] for alert in watched.monitoring.ask("alertmanager", "/api/v2/alerts")]
        notified = file.read_bytes()[before:].decode() if file.exists() else ""
        return [name for name in listed if name == NAME] + [NAME] * notified.count(NAME)

    return of_the_test_alert


@pytest.mark.parametrize("processes", [(), ("-n", "2")], ids=["alone", "in-two-processes"])
def test_a_test_alert_is_sent_seen_and_taken_back(
    processes: tuple[str, ...], watched: EmbeddedStack, judge: Judge, received: Received
) -> None:
    seen = judge("--active", "-k", "alert_routing_broken", *processes, target=watched.folder / FILE)
    assert seen.status == 0, seen.output
    [check] = [check for check in seen.alert("AlertRoutingBroken")["checks"] if CHECK in check["id"]]
    assert check["outcome"] == "ok"
    commands = [page["command"] for page in check["evidence"]]
    assert sum("-X POST" in command for command in commands) == 2
    assert any("/api/v2/alerts/groups?filter" in command for command in commands)
    assert received() == []


@pytest.mark.parametrize("selection", [(), ("-m", "active"), ("-k", CHECK)], ids=["all", "marker", "keyword"])
def test_without_the_flag_nothing_is_written(
    selection: tuple[str, ...], watched: EmbeddedStack, judge: Judge, received: Received
) -> None:
    seen = judge(*selection, target=watched.folder / FILE)
    assert seen.status == (5 if selection else 0), seen.output
    assert seen.results is None or CHECK not in str(seen.results["alerts"])
    assert received() == []


def test_a_test_alert_that_is_taken_back_late_notifies_nobody(watched: EmbeddedStack, received: Received) -> None:
    def post(**ends: str) -> None:
        url = f"{watched.monitoring.url('alertmanager')}/api/v2/alerts"
        CLIENT.post(url, json=[{"labels": LABELS, **ends}], timeout=2).raise_for_status()

    post()
    time.sleep(2.5)
    assert received() == [NAME]
    post(endsAt=datetime.now(UTC).isoformat())
    assert received() == []
