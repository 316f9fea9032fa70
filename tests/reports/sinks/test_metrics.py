from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from prometheus_client.parser import text_string_to_metric_families

from reports.sinks import metrics
from tests.conftest import needs
from tests.projects import nowhere
from tests.reports.samples import NOON, run_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Judge
    from tests.projects import Project


def samples(path: Path) -> dict[tuple[str, str], float]:
    """The samples of a textfile, by name and by alert and state."""
    return {
        (sample.name, "/".join(filter(None, (sample.labels.get("alert"), sample.labels.get("state"))))): sample.value
        for family in text_string_to_metric_families(path.read_text())
        for sample in family.samples
    }


def test_a_run_as_metrics(tmp_path: Path) -> None:
    path = tmp_path / "ordinaut.prom"
    metrics.write(path, run_of(NOON, {"A": "firing", "B": "ok"}))
    found = samples(path)
    assert found["ordinaut_health_alert_state", "A/firing"] == found["ordinaut_health_alert_state", "B/ok"] == 1
    assert found["ordinaut_health_alert_state", "A/ok"] == found["ordinaut_health_alert_state", "B/unknown"] == 0
    assert found["ordinaut_health_alert_value", "A"] == 3
    assert found["ordinaut_health_alert_limit", "A"] == 2
    assert found["ordinaut_health_run_start_time_seconds", ""] == NOON.timestamp()
    assert found["ordinaut_health_run_duration_seconds", ""] == 0.5
    assert found["ordinaut_health_run_exit_status", ""] == 1


def test_promtool_accepts_the_metrics(tmp_path: Path) -> None:
    program = needs("promtool")
    path = tmp_path / "ordinaut.prom"
    metrics.write(path, run_of(NOON, {"A": "firing", "B": "ok", 'C"\\\n': "unknown"}))
    done = subprocess.run(
        [program, "check", "metrics"], input=path.read_text(), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_a_run_writes_metrics_whole_and_readable_by_others(sample: Project, judge: Judge, tmp_path: Path) -> None:
    path = tmp_path / "textfile" / "ordinaut.prom"
    path.parent.mkdir()
    umask = os.umask(0o077)  # the run inherits it, as it may cron's
    try:
        seen = judge(f"--metrics={path}", target=nowhere(tmp_path), cwd=sample.folder)
    finally:
        os.umask(umask)
    assert seen.status == 1
    assert samples(path)["ordinaut_health_alert_state", "ItFires/firing"] == 1
    assert list(path.parent.iterdir()) == [path]
    assert path.stat().st_mode & 0o777 == 0o644


def test_metrics_that_cannot_be_written_cost_a_warning(sample: Project, judge: Judge, tmp_path: Path) -> None:
    seen = judge(f"--metrics={tmp_path}/nowhere/x.prom", target=nowhere(tmp_path), cwd=sample.folder)
    assert seen.status == 1
    assert "the metrics could not be written" in seen.output
