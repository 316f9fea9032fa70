from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

from tests.projects import nowhere

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Judge
    from tests.projects import Project


def test_the_results_are_written_to_the_named_file_too(sample: Project, judge: Judge, tmp_path: Path) -> None:
    path = tmp_path / "asked.json"
    seen = judge(f"--results={path}", target=nowhere(tmp_path), cwd=sample.folder)
    assert json.loads(path.read_text()) == seen.results
    assert path.stat().st_mode & 0o777 == 0o600
    lost = judge(f"--results={tmp_path}/nowhere/x.json", target=nowhere(tmp_path), cwd=sample.folder)
    assert lost.status == seen.status == 1
    assert "the results could not be written" in lost.output


def test_junit_has_the_alert_of_each_check(sample: Project, judge: Judge, tmp_path: Path) -> None:
    seen = judge(target=nowhere(tmp_path), cwd=sample.folder)
    assert seen.folder is not None
    cases = {case.get("name"): case for case in ET.parse(seen.folder / "junit.xml").iter("testcase")}
    found = {each.get("name"): each.get("value") for each in cases["test_why"].iter("property")}
    assert found == {
        "alert": "ItFires", "severity": "0", "role": "diagnostic", "state": "firing", "cause": "why",
        "runbook": "runbooks/ItFires.md",
    }  # fmt: skip
