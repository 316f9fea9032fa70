from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import xml.etree.ElementTree as ET
from types import TracebackType
from typing import TYPE_CHECKING, Any

import pytest

from reports.plugin import pytest_keyboard_interrupt
from sandbox.breaking import break_stack
from sandbox.faults import FAULTS
from tests.conftest import runs_in
from tests.projects import ROOT, Project, environment, nowhere

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.embedded import EmbeddedStack
    from tests.conftest import Judge

SIGNALS = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])

WELL = """
@trigger()
def test_all_is_well():
    "All is well."
"""
WAITS = """
import os, threading

@trigger()
def test_it_comes_to_an_end():
    "It comes to an end."
    if "WAIT" in os.environ:
        threading.Event().wait()

@diagnostic(cause="a-cause", step=1)
def test_no_cause_is_found():
    "There is no cause."
"""


def interrupted(
    number: signal.Signals, target: Path, output: Path, *arguments: str, at: str, cwd: Path = ROOT
) -> tuple[int, str]:
    """Start a run, interrupt it at this check module, and return its exit status and what it printed."""
    with subprocess.Popen(
        [sys.executable, "-m", "pytest", f"--target={target}", f"--output={output}", *arguments],
        cwd=cwd, env=environment(WAIT="1", PYTHONUNBUFFERED="1"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        # Where the tests themselves run in the background, SIGINT is ignored, and a child would inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as run:  # fmt: skip
        assert run.stdout is not None
        hung = threading.Timer(60, run.kill)  # so that a module that is never reached ends the test
        hung.start()
        printed = b""
        while at.encode() not in printed:
            more = run.stdout.read1()  # type: ignore[attr-defined]
            assert more, printed.decode()
            printed += more
        run.send_signal(number)
        printed += run.communicate(timeout=30)[0]
        hung.cancel()
        return run.returncode, printed.decode()


def newest(output: Path) -> Path:
    return max(runs_in(output))


def results_of(folder: Path) -> dict[str, Any]:
    results: dict[str, Any] = json.loads((folder / "results.json").read_text())
    return results


@pytest.fixture
def project(empty_project: Project) -> Project:
    empty_project.add_alert("a_judged", WELL)
    empty_project.add_alert("b_waiting", WAITS)
    empty_project.add_alert("c_to_come", WELL)
    return empty_project


def test_an_interruption_at_an_instruction_without_a_line_can_be_shown() -> None:
    """As in an instruction that CPython adds itself; here the one with which a function begins that has a closure."""
    bound = 1

    def interrupted_at_its_first_instruction() -> None:
        frame = sys._getframe()
        assert next(iter(frame.f_code.co_positions()))[0] is None, bound
        raise KeyboardInterrupt().with_traceback(TracebackType(None, frame, 0, -1))

    with pytest.raises(KeyboardInterrupt) as caught:
        interrupted_at_its_first_instruction()
    with pytest.raises(TypeError):
        caught.getrepr(funcargs=True)
    pytest_keyboard_interrupt(caught)
    assert "KeyboardInterrupt" in str(caught.getrepr(funcargs=True))


@SIGNALS
def test_an_interrupted_run_leaves_what_it_knows(
    number: signal.Signals, judge: Judge, project: Project, tmp_path: Path
) -> None:
    target = nowhere(tmp_path)
    whole = judge(target=target, cwd=project.folder)
    assert whole.folder is not None
    output = whole.folder.parent
    status, printed = interrupted(number, target, output, at="test_b_waiting", cwd=project.folder)
    assert status == 2, printed
    folder = newest(output)
    assert folder != whole.folder
    results = results_of(folder)
    assert (results["complete"], results["verdict"], results["exit_status"]) == (False, "unknown", 2)
    states = {alert["name"]: alert["state"] for alert in results["alerts"]}
    assert states == {"AJudged": "ok", "BWaiting": "unknown", "CToCome": "unknown"}
    assert (output / "latest").resolve() == whole.folder
    assert {path.name for path in folder.iterdir()} == {"report.html", "checks.html", "results.json", "junit.xml"}
    assert next(case.get("name") for case in ET.parse(folder / "junit.xml").iter("testcase")) == "test_all_is_well"
    assert "stopped before it was complete" in printed
    assert "Traceback" not in printed


@SIGNALS
def test_an_interrupted_run_reports_the_alert_that_fires(
    number: signal.Signals, project: Project, tmp_path: Path
) -> None:
    project.add_alert("a_judged", WELL + "    assert False, 'bad'\n")
    output = tmp_path / "output"
    status, printed = interrupted(number, nowhere(tmp_path), output, at="test_b_waiting", cwd=project.folder)
    assert status == 2, printed
    results = results_of(newest(output))
    assert (results["alerts"][0]["name"], results["alerts"][0]["state"]) == ("AJudged", "firing")
    assert not (output / "latest").exists()
    assert "FIRING" in printed


def test_a_run_that_waits_for_a_frozen_database_can_be_interrupted(judge: Judge, sandbox: EmbeddedStack) -> None:
    whole = judge("-m", "sev0")
    assert whole.folder is not None
    break_stack(sandbox, FAULTS["postgres-hung"])
    output = whole.folder.parent
    target = sandbox.folder / "target.toml"
    status, printed = interrupted(signal.SIGINT, target, output, "-m", "sev0", at="test_no_active_workers")
    assert status == 2, printed
    results = results_of(newest(output))
    assert not results["complete"]
    assert {alert["state"] for alert in results["alerts"]} <= {"unknown", "ok"}
    assert (output / "latest").resolve() == whole.folder


@SIGNALS
def test_a_run_in_two_processes_can_be_interrupted(number: signal.Signals, project: Project, tmp_path: Path) -> None:
    output = tmp_path / "output"
    status, printed = interrupted(number, nowhere(tmp_path), output, "-n", "2", "-v", at="PASSED", cwd=project.folder)
    assert status == 2, printed
    results = results_of(newest(output))
    assert not results["complete"]
    states = {alert["name"]: alert["state"] for alert in results["alerts"]}
    assert set(states) == {"AJudged", "BWaiting", "CToCome"}
    assert states["BWaiting"] == "unknown"
    assert results["verdict"] == "unknown"
