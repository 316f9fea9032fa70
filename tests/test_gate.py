from __future__ import annotations

import fcntl
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from reports.gate import Judgement, wait_until_well
from sandbox.breaking import break_stack
from sandbox.faults import FAULTS
from tests.conftest import runs_in
from tests.projects import ROOT, environment, nowhere

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.embedded import EmbeddedStack


class Clock:
    """Time that passes when it is slept or judged through."""

    def __init__(self, statuses: str, calls: int | None = 5) -> None:
        self.now = 0.0
        self.statuses = iter(statuses)
        self.calls = calls
        self.starts: list[float] = []
        self.said: list[str] = []

    def judge(self) -> Judgement:
        self.starts.append(self.now)
        self.now += 1
        return Judgement(int(next(self.statuses)), "", self.calls)

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def run(self, seconds: float = 120, in_a_row: int = 2) -> Judgement:
        return wait_until_well(
            self.judge, seconds, in_a_row, clock=lambda: self.now, sleep=self.sleep, say=self.said.append
        )


@pytest.mark.parametrize(
    ("statuses", "status", "judged"),
    [
        ("00", 0, 2),
        ("100", 0, 3),
        ("6100", 0, 4),
        ("0100", 0, 4),
        ("1" * 20, 1, 13),  # at 120 s the time is over
        ("6" * 20, 6, 13),
        ("1" * 12 + "00", 0, 14),  # a row that has begun is judged to its end
        ("1" * 12 + "01", 1, 14),
        ("4", 4, 1),  # a wrong setting is not mended by waiting
        ("14", 4, 2),
        ("5", 5, 1),
        ("3", 3, 1),
        ("2", 2, 1),
    ],
)
def test_it_waits_for_what_time_can_change(statuses: str, status: int, judged: int) -> None:
    clock = Clock(statuses)
    assert clock.run().status == status
    assert len(clock.starts) == len(clock.said) == judged


def test_once_is_enough_where_that_was_said() -> None:
    clock = Clock("0")
    assert clock.run(in_a_row=1).status == 0
    assert len(clock.starts) == 1


@pytest.mark.parametrize(("calls", "pause"), [(5, 10), (0, 1), (20, 40), (None, 10)])
def test_the_api_is_asked_no_more_often_than_it_bears(calls: int | None, pause: float) -> None:
    clock = Clock("1" * 500, calls)
    clock.run(seconds=300)
    assert {later - earlier for earlier, later in zip(clock.starts, clock.starts[1:], strict=False)} == {pause}


def gate(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "reports.gate", *map(str, arguments)]


def test_a_healthy_stack_is_let_through(sandbox: EmbeddedStack, tmp_path: Path) -> None:
    done = subprocess.run(
        gate("--wait=1s", f"--target={sandbox.folder / 'target.toml'}", f"--output={tmp_path}"),
        cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    progress = [line for line in done.stdout.splitlines() if line.startswith("gate: ")]
    assert [line.rpartition("(")[2] for line in progress] == ["1 of 2 in a row)", "2 of 2 in a row)"]
    assert len(runs_in(tmp_path)) == 2  # each is a recorded run
    assert "passed" in done.stdout.splitlines()[-1]


def test_a_broken_stack_is_not(sandbox: EmbeddedStack, tmp_path: Path) -> None:
    break_stack(sandbox, FAULTS["workers-stopped"])
    done = subprocess.run(
        gate("--wait=0", f"--target={sandbox.folder / 'target.toml'}", f"--output={tmp_path}"),
        cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout
    assert "FIRING   sev0 NoActiveWorkers" in done.stdout


def test_wrong_usage_ends_it_at_once(tmp_path: Path) -> None:
    done = subprocess.run(
        gate(f"--target={tmp_path}/absent.toml"),
        cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 4
    assert "no such settings file" in done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_when_it_is_told_to(number: signal.Signals, tmp_path: Path) -> None:
    with subprocess.Popen(
        gate(f"--target={nowhere(tmp_path)}", f"--output={tmp_path / 'output'}"),
        cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as run:  # fmt: skip
        assert run.stdout is not None
        assert "judgement 1: nowhere: firing" in run.stdout.readline()
        run.send_signal(number)
        assert "gate: interrupted" in run.communicate(timeout=30)[0]
        assert run.returncode == 130


# -- cron's own target


def test_reports_do_not_overlap(tmp_path: Path) -> None:
    if not (ROOT / ".venv").exists():
        pytest.skip("needs the environment that make sets up")
    with (tmp_path / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run(
            ["make", "-C", str(ROOT), "report", f"OUTPUT={tmp_path}", f"ARGS=--target={nowhere(tmp_path)}"],
            env=environment(), capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
    assert done.returncode != 0
    assert "another one is being made" in done.stderr
    assert not runs_in(tmp_path)
