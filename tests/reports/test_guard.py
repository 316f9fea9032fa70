"""The guard: whatever the process that judges has come to, the run ends in time and leaves what is known."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from sandbox.polling import NotYet, require, until
from tests.projects import NOWHERE, Project, environment
from tests.reports.test_interruption import interrupted, newest, results_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Judge, Judgement

FIRES = """
@trigger()
def test_all_is_well():
    "All is well."
    assert False, "it is bad"
"""
COMES_TO = """
import itertools, os, signal, time

@trigger()
def test_it_comes_to_an_end():
    "It comes to an end."
    {end}
"""
HOLDS_THE_INTERPRETER = "sum(itertools.repeat(1))"  # without a look at signals
TAKES_MEMORY = "taken = b'x' * (400 << 20); time.sleep(60)"
IS_KILLED = "os.kill(os.getpid(), signal.SIGKILL)"
DEADLINE = 4.0
ENDS = 45  # seconds; 6 of them are the product's, the rest is for a busy machine


def target_with_a_deadline(folder: Path, seconds: float = DEADLINE) -> Path:
    path = folder / "target.toml"
    path.write_text(f"{NOWHERE}[deadlines]\nrun = {seconds}\n")
    return path


@pytest.fixture
def project(empty_project: Project) -> Project:
    empty_project.add_alert("a_judged", FIRES)
    return empty_project


def require_reported(seen: Judgement, why: str) -> None:
    assert seen.results is not None, seen.output
    assert not seen.results["complete"]
    assert seen.results["target"] == "nowhere"
    assert (seen.alert("AJudged")["state"], seen.alert("BHangs")["state"]) == ("firing", "unknown")
    assert why in seen.alert("BHangs")["message"]
    assert why in seen.output
    assert "FIRING" in seen.output


@pytest.mark.parametrize(
    ("end", "why"),
    [
        (HOLDS_THE_INTERPRETER, "the run did not end by its deadline of 4 s, and was ended"),
        ("time.sleep(600)", "the run did not end by its deadline of 4 s, and was ended"),
        (TAKES_MEMORY, "MiB of memory (limit 256 MiB), and was ended"),
        (IS_KILLED, "the process that judged was ended by SIGKILL"),
    ],
    ids=["interpreter-held", "hangs", "memory", "killed"],
)
def test_a_judge_that_does_not_end_is_ended(end: str, why: str, judge: Judge, project: Project, tmp_path: Path) -> None:
    project.add_alert("b_hangs", COMES_TO.format(end=end))
    began = time.monotonic()
    seen = judge(target=target_with_a_deadline(tmp_path, 600 if "memory" in why else DEADLINE), cwd=project.folder)
    assert time.monotonic() - began < ENDS
    assert seen.status == 1, seen.output
    require_reported(seen, why)


def test_nothing_fires_in_what_is_known_of_a_judge_that_died(
    judge: Judge, empty_project: Project, tmp_path: Path
) -> None:
    empty_project.add_alert("b_hangs", COMES_TO.format(end=IS_KILLED))
    seen = judge(target=target_with_a_deadline(tmp_path), cwd=empty_project.folder)
    assert seen.status == 3, seen.output
    assert seen.results is not None
    assert (seen.results["verdict"], seen.alert("BHangs")["state"]) == ("unknown", "unknown")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_a_signal_ends_a_run_that_holds_the_interpreter(
    number: signal.Signals, project: Project, tmp_path: Path
) -> None:
    project.add_alert("b_hangs", COMES_TO.format(end=HOLDS_THE_INTERPRETER))
    target, output = target_with_a_deadline(tmp_path, 600), tmp_path / "output"
    status, printed = interrupted(number, target, output, at="test_b_hangs", cwd=project.folder)
    assert status == 2, printed
    assert f"the run did not end within 3.3 s of {number.name}, and was ended" in printed
    results = results_of(newest(output))
    assert (results["complete"], results["exit_status"]) == (False, 2)
    assert {alert["name"]: alert["state"] for alert in results["alerts"]} == {"AJudged": "firing", "BHangs": "unknown"}


def test_a_terminal_that_takes_nothing_does_not_hold_the_run(project: Project, tmp_path: Path) -> None:
    project.add_alert("b_prints", COMES_TO.format(end="os.write(2, b'x' * (1 << 20))"))
    with subprocess.Popen(
        [sys.executable, "-m", "pytest", f"--target={target_with_a_deadline(tmp_path)}"],
        cwd=project.folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as run:  # fmt: skip
        assert run.wait(ENDS) in (1, 3)


def test_a_run_whose_guard_is_killed_ends(project: Project, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    end = f"print(os.getpid(), file=open({str(pid)!r}, 'w'), flush=True); {HOLDS_THE_INTERPRETER}"
    project.add_alert("b_hangs", COMES_TO.format(end=end))
    target = target_with_a_deadline(tmp_path, 600)
    with subprocess.Popen(
        [sys.executable, "-m", "pytest", f"--target={target}"],
        cwd=project.folder, env=environment(), stdout=subprocess.DEVNULL,
    ) as run:  # fmt: skip
        until(lambda: require(pid.exists() and pid.read_text().endswith("\n"), "it has not come so far"), 30)
        judge = int(pid.read_text())
        assert judge != run.pid
        run.kill()
    until(lambda: _require_gone(judge), 10)


def _require_gone(pid: int) -> None:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return
    raise NotYet(f"process {pid} is there")
