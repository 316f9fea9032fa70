from __future__ import annotations

import json
import os
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import TYPE_CHECKING

from tests.projects import nowhere, run_pytest

if TYPE_CHECKING:
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


def test_what_is_no_file_is_never_replaced(sample: Project, judge: Judge, tmp_path: Path) -> None:
    for option in ("--results", "--metrics", "--html", "--junitxml"):
        (link := tmp_path / f"link{option}").symlink_to("/dev/null")
        seen = judge(f"{option}={link}", target=nowhere(tmp_path), cwd=sample.folder)
        assert seen.status == 1
        assert "could not be written" not in seen.output
        assert link.readlink() == Path("/dev/null")
        os.mkfifo(pipe := tmp_path / f"pipe{option}")
        seen = judge(f"{option}={pipe}", target=nowhere(tmp_path), cwd=sample.folder)
        assert seen.status == 1
        assert seen.output.count("could not be written") == 1
        assert pipe.is_fifo()
    assert Path("/dev/null").is_char_device()


def test_the_results_can_be_read_from_standard_output(sample: Project, tmp_path: Path) -> None:
    done = run_pytest(
        "-q", "--no-header", f"--target={nowhere(tmp_path)}", f"--output={tmp_path}/output", "--results=/dev/stdout",
        cwd=sample.folder,
    )  # fmt: skip
    begin, end = done.stdout.index("{\n"), done.stdout.rindex("\n}") + 2
    assert json.loads(done.stdout[begin:end])["exit_status"] == done.returncode == 1


def test_junit_has_the_alert_of_each_check(sample: Project, judge: Judge, tmp_path: Path) -> None:
    seen = judge(target=nowhere(tmp_path), cwd=sample.folder)
    assert seen.folder is not None
    cases = {case.get("name"): case for case in ET.parse(seen.folder / "junit.xml").iter("testcase")}
    found = {each.get("name"): each.get("value") for each in cases["test_why"].iter("property")}
    assert found == {
        "alert": "ItFires", "severity": "0", "role": "diagnostic", "state": "firing", "cause": "why",
        "runbook": "runbooks/ItFires.md",
    }  # fmt: skip
