"""A check is never ok unseen where what watches Ordinaut, all of which exists here, is lost one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.needs import require_no_trigger_is_skipped, require_not_ok
from tests.playbook.test_never_green import WITHOUT_PROMETHEUS

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.embedded import EmbeddedStack
    from tests.conftest import Judge

NO_SILENCE = "no silence is active, so the labels that Prometheus gives our alerts do not matter"
UNREACHABLE = {
    "prometheus": WITHOUT_PROMETHEUS | {
        f"silence too broad: {check}": NO_SILENCE
        for check in (
            "every silence says why", "no silence hides severity 0", "no silence hides what fires",
            "no silence is too broad", "no silence lasts too long", "no silence matches everything",
        )
    },
    "alertmanager": {},
    "grafana": {},
}  # fmt: skip
ABSENT = UNREACHABLE | {
    "prometheus": UNREACHABLE["prometheus"]
    | {"alertmanager down: alertmanager works": "without a Prometheus, Alertmanager's own reports decide"}
}


@pytest.mark.parametrize("lost", UNREACHABLE)
def test_a_check_that_needs_an_unreachable_watcher_is_not_ok(lost: str, judge: Judge, watched: EmbeddedStack) -> None:
    seen = judge(f"--{lost}-url=http://127.0.0.1:1", target=watched.folder / "target.toml")
    require_not_ok(seen, {lost}, UNREACHABLE[lost])
    require_no_trigger_is_skipped(seen, {lost}, {"docker"})
    assert seen.status == 1, seen.output


@pytest.mark.parametrize("lost", ABSENT)
def test_a_check_that_needs_a_watcher_which_the_target_does_not_have_is_not_ok(
    lost: str, judge: Judge, watched: EmbeddedStack, tmp_path: Path
) -> None:
    lines = (watched.folder / "target.toml").read_text().splitlines(keepends=True)
    target = tmp_path / "target.toml"
    target.write_text("".join(line for line in lines if not line.startswith(f"{lost}_url")))
    require_not_ok(judge(target=target), {lost}, ABSENT[lost])
