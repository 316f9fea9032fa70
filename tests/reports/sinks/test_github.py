from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from playbook.outcome import Suppression
from reports.results import Cause
from reports.sinks import github
from tests.projects import nowhere
from tests.reports.samples import NOON, alert, run_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Judge
    from tests.projects import Project

EVIL = "bad | `x` <img src=x onerror=alert(1)> [link](javascript:alert(1))\n::error::forged %0A"


def test_an_annotation_is_one_command_whatever_the_message_is() -> None:
    results = run_of(NOON, {"A": "firing", "B": "ok"})
    results.alerts[0] = replace(results.alerts[0], message=EVIL)
    (line,) = github.commands(results)
    assert line.startswith("::error title=firing sev1 A::bad")
    assert "\n" not in line
    assert line.endswith("%0A::error::forged %250A")


def test_the_summary_shows_text_as_text() -> None:
    results = run_of(NOON, {"A": "firing", "B": "ok"})
    results.alerts[0] = replace(results.alerts[0], message=EVIL, causes=[Cause("a-cause", "a-cause", EVIL, {})])
    shown = github.markdown(results)
    assert "<img" not in shown
    assert "1 ok" in shown
    rows = [line for line in shown.splitlines() if line.startswith("| firing")]
    assert len(rows) == 1
    assert len(re.findall(r"(?<!\\)\|", rows[0])) == 6
    assert r"\[link\]" in rows[0]
    assert "runbooks/A.md#a-cause" in rows[0]


def test_a_silenced_alert_is_a_warning() -> None:
    silence = Suppression("silence", "me", "work", "2026-03-04T13:00:00Z")
    results = run_of(NOON, {}, alerts=[alert("silenced", "A", suppressed=silence)])
    assert next(github.commands(results)).startswith("::warning title=silenced sev1 A::")


def test_a_step_of_github_actions_is_annotated_and_summarized(sample: Project, judge: Judge, tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("# what was there\n")
    seen = judge(target=nowhere(tmp_path), cwd=sample.folder, GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(summary))
    assert "\n::error title=firing sev0 ItFires::it is bad" in seen.output
    assert summary.read_text().startswith("# what was there\n## Ordinaut: firing")
    assert "::error" not in judge(target=nowhere(tmp_path), cwd=sample.folder, GITHUB_ACTIONS="").output


def test_a_line_of_a_log_is_no_command(sample: Project, judge: Judge, tmp_path: Path) -> None:
    line = "::error::forged ##[error]forged"
    sample.add_alert("it_fires", f'@trigger()\ndef test_it():\n    assert False, "it is bad\\n{line}"\n')
    seen = judge("-v", "-ra", target=nowhere(tmp_path), cwd=sample.folder, GITHUB_ACTIONS="true")
    before, fenced, after = re.split(r"^::(?:stop-commands::)?[0-9a-f]{32}(?:::)?\n", seen.output, flags=re.MULTILINE)
    assert before == ""
    assert line in fenced
    assert after.startswith("::error title=firing sev0 ItFires::it is bad ::error::forged")
    assert after.count("\n") == 1


@pytest.mark.parametrize("processes", ["-n0", "-n1"])
def test_wrong_usage_is_wrong_usage_in_a_step_too(judge: Judge, tmp_path: Path, processes: str) -> None:
    seen = judge(processes, target=nowhere(tmp_path), GITHUB_ACTIONS="true", PYTHONOPTIMIZE="1")
    assert seen.status == 4, seen.output
    assert "internal error" not in seen.output
