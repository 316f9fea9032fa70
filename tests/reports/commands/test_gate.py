from __future__ import annotations

import fcntl
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from itertools import pairwise
from typing import TYPE_CHECKING

import psutil
import pytest

from reports.commands.gate import Judgement, main, pause, wait_until_well
from sandbox.breaking import break_stack, heal_stack
from sandbox.faults import FAULTS
from sandbox.polling import require, until
from tests.conftest import runs_in
from tests.projects import ROOT, SECRET, environment, nowhere

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.embedded import EmbeddedStack


def judgement(status: int, calls: int = 5, **states: str) -> Judgement:
    """Give what a run with this exit status says; one that came to no verdict has no results."""
    verdict = {0: "ok", 1: "firing", 6: "unknown"}.get(status)
    alerts = [{"name": name, "state": state} for name, state in states.items()]
    results = {"verdict": verdict, "alerts": alerts, "cost": {"api": {"calls": calls}}, "selection": {"partial": False}}
    return Judgement(status, results if verdict else None)


class Clock:
    """Time that passes when it is slept or judged through."""

    def __init__(self, statuses: str, calls: int = 5) -> None:
        self.now = 0.0
        self.statuses = iter(statuses)
        self.calls = calls
        self.starts: list[float] = []
        self.said: list[str] = []

    def judge(self) -> Judgement:
        self.starts.append(self.now)
        self.now += 1
        return judgement(int(next(self.statuses)), self.calls)

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
    assert clock.run(in_a_row=1).is_well
    assert len(clock.starts) == 1


def test_the_last_look_is_when_the_time_is_over() -> None:
    clock = Clock("1" * 20)
    clock.run(seconds=25)
    assert clock.starts == [0, 10, 20, 25]


@pytest.mark.parametrize(
    ("calls", "wait", "seconds"),
    [
        (0, 120, 5),  # nothing was asked: yet a stack that is starting is left alone for a while
        (5, 120, 10),  # 30 a minute
        (20, 120, 40),
        (5, 3600, 36),  # 500 an hour
        (5, 86400, 36),
    ],
)
def test_the_api_is_asked_no_more_often_than_it_bears(calls: int, wait: float, seconds: float) -> None:
    assert pause(calls, wait) == seconds
    clock = Clock("1" * 200, calls)
    clock.run(seconds=min(wait, 600))
    assert min(later - earlier for earlier, later in pairwise(clock.starts[:-1])) >= min(seconds, 10)


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (judgement(0), 0),
        (judgement(1), 1),
        (judgement(4), 4),
        (Judgement(0, None), 5),  # as `pytest --help` has it: nothing was judged
        (Judgement(1, None), 1),  # as Python has it where there is no pytest
        (Judgement(-signal.SIGKILL, None), 137),
    ],
)
def test_only_a_judgement_lets_through(said: Judgement, status: int) -> None:
    assert said.exit_status == status
    assert said.is_well is (status == 0)
    assert wait_until_well(lambda: said, 0, 1, say=lambda _: None) is said


def test_what_is_no_judgement_is_not_waited_for() -> None:
    assert not Judgement(1, None).can_change
    assert not Judgement(0, None).can_change
    assert judgement(1).can_change


def test_progress_says_what_is_wrong() -> None:
    assert str(judgement(1, A="firing", B="unknown", C="ok", D="silenced")) == "firing (firing A, unknown B)"
    assert str(judgement(0, A="ok", D="silenced")) == "ok"
    assert str(judgement(4)) == "no judgement, exit status 4"


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "reports.commands.gate", *map(str, arguments)]


def gate(*arguments: object, **more: str) -> subprocess.CompletedProcess[str]:
    """Run the gate as a pipeline does."""
    return subprocess.run(
        command(*arguments), cwd=ROOT, env=environment(**more), capture_output=True, text=True, timeout=100,
        check=False,
    )  # fmt: skip


def progress(output: str) -> list[str]:
    return [line for line in output.splitlines() if line.startswith("gate: judgement ")]


@pytest.fixture
def options(sandbox: EmbeddedStack, tmp_path: Path) -> list[str]:
    return [f"--target={sandbox.folder / 'target.toml'}", f"--output={tmp_path / 'output'}"]


def test_a_healthy_stack_is_let_through(options: list[str], tmp_path: Path) -> None:
    done = gate("--wait=1s", *options)
    assert done.returncode == 0, done.stdout
    first, second = progress(done.stdout)
    assert first.endswith(": ok, 1 of 2 in a row")
    assert second.endswith(": ok, 2 of 2 in a row")
    assert len(runs_in(tmp_path / "output")) == 2  # each is a recorded run
    assert done.stdout.count("test session starts") == 1  # the final one alone is shown
    assert done.stdout.splitlines()[-1] == "gate: passed: ok"


def test_a_broken_stack_is_not(sandbox: EmbeddedStack, options: list[str]) -> None:
    break_stack(sandbox, FAULTS["workers-stopped"])
    done = gate("--wait=3s", *options)
    assert done.returncode == 1, done.stdout
    assert progress(done.stdout)[0].endswith(": firing (firing NoActiveWorkers)")
    assert "FIRING   sev0 NoActiveWorkers" in done.stdout
    assert done.stdout.splitlines()[-1] == "gate: not passed: firing (firing NoActiveWorkers)"


def test_a_stack_that_heals_is_waited_for(sandbox: EmbeddedStack, options: list[str]) -> None:
    break_stack(sandbox, FAULTS["workers-stopped"])
    with subprocess.Popen(
        command("--wait=60s", *options), cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None
        assert "firing NoActiveWorkers" in run.stdout.readline()
        heal_stack(sandbox)
        told = run.communicate(timeout=100)[0]
    assert run.returncode == 0, told
    assert [line.rpartition(": ")[2] for line in progress(told)][-2:] == ["ok, 1 of 2 in a row", "ok, 2 of 2 in a row"]


def test_what_is_secret_is_in_no_line_of_it(tmp_path: Path) -> None:
    ping = "--ping=http://127.0.0.1:1/hidden-in-the-ping"
    done = gate("--wait=1s", "-v", ping, f"--target={nowhere(tmp_path)}", f"--output={tmp_path / 'output'}")
    assert done.returncode == 1
    assert "ping failed" in done.stdout
    for secret in (SECRET, "hidden-in-the-ping"):
        assert secret not in done.stdout + done.stderr


def test_wrong_settings_end_it_at_once(tmp_path: Path) -> None:
    done = gate(f"--target={tmp_path}/absent.toml")
    assert done.returncode == 4
    assert "no such settings file" in done.stdout
    assert [line.rpartition(": ")[2] for line in progress(done.stdout)] == ["no judgement, exit status 4"]


@pytest.mark.parametrize(
    "option",
    ["--version", "--collect-only", "--markers", "--show-target", "--fixtures", "--setup-only", "--setup-plan"],
)
def test_what_judges_nothing_is_not_let_through(option: str, tmp_path: Path) -> None:
    done = gate(option, f"--target={nowhere(tmp_path)}", f"--output={tmp_path / 'output'}")
    assert done.returncode == 5
    assert len(progress(done.stdout)) == 1


def test_its_own_help_lets_nothing_through() -> None:
    done = gate("--help")
    assert (done.returncode, progress(done.stdout)) == (5, [])
    assert "usage: " in done.stdout


@pytest.mark.parametrize("option", ["-kno_active_workers", "--ignore=checks/sev1", "checks/sev0"])
def test_what_leaves_something_out_is_not_let_through(option: str, options: list[str]) -> None:
    done = gate(option, *options)
    assert done.returncode == 4
    assert [line.rpartition(": ")[2] for line in progress(done.stdout)] == ["ok, but options left out a part"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--wait=soon"], "'soon' is not a duration"),
        (["--in-a-row=0"], "at least 1"),
        (["--in-a-row=few"], "invalid int value"),
    ],
)
def test_wrong_usage_is_said(arguments: list[str], words: str) -> None:
    done = gate(*arguments)
    assert done.returncode == 4
    assert words in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "more"),
    [
        (["--honor-for"], {}),
        (["--honor-silences", "-n", "2"], {}),
        (["-o", "addopts=--honor-for"], {}),
        (["@{file}"], {}),
        ([], {"PYTEST_ADDOPTS": "-q --honor-silences"}),
    ],
)
def test_what_is_not_for_a_gate_is_not_slipped_in(
    arguments: list[str], more: dict[str, str], options: list[str], tmp_path: Path
) -> None:
    (tmp_path / "options").write_text("--honor-for\n")
    done = gate(*(each.format(file=tmp_path / "options") for each in arguments), *options, **more)
    assert done.returncode == 4
    assert re.search(r"--honor-(for|silences) is not for a gate", done.stdout)
    assert len(progress(done.stdout)) == 1


def test_the_results_of_the_final_judgement_are_written_where_they_are_wanted(
    options: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "asked.json"
    assert gate("--in-a-row=1", f"--results={path}", *options).returncode == 0
    assert json.loads(path.read_text())["verdict"] == "ok"


def test_what_is_no_file_is_never_replaced_by_results(tmp_path: Path) -> None:
    (link := tmp_path / "link").symlink_to("/dev/null")
    os.mkfifo(pipe := tmp_path / "pipe")
    for path in (link, pipe):
        done = gate(
            "--wait=0s", f"--results={path}", f"--target={nowhere(tmp_path)}", f"--output={tmp_path / 'output'}"
        )
        assert done.returncode == 1
        assert done.stdout.count("gate: the results could not be written") == (path is pipe)
    assert (str(link.readlink()), pipe.is_fifo()) == ("/dev/null", True)


def test_the_results_of_an_earlier_gate_are_not_left_behind(tmp_path: Path) -> None:
    (results := tmp_path / "results.json").write_text("{}")
    assert gate(f"--results={results}", f"--target={tmp_path}/absent.toml").returncode == 4
    assert not results.exists()


@pytest.mark.parametrize("streams", [">&-", ">/dev/full", "| true"])
def test_its_exit_status_does_not_depend_on_who_reads(tmp_path: Path, streams: str) -> None:
    words = [*command("--wait=0s"), f"--target={tmp_path}/absent.toml"]
    line = f"{shlex.join(words)}; echo $? > {tmp_path}/status"
    redirected = f"( {line} ) {streams}" if streams[0] == "|" else line.replace(";", f" {streams};")
    done = subprocess.run(["bash", "-c", redirected], cwd=ROOT, env=environment(), capture_output=True, check=False)
    assert (tmp_path / "status").read_text().strip() == "4", done.stderr
    assert b"Traceback" not in done.stderr


def test_an_internal_error_of_the_gate_does_not_say_that_something_fires(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("reports.commands.gate.wait_until_well", None)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    assert main([]) == 3
    assert "gate: internal error: TypeError: " in capsys.readouterr().out


def test_a_step_shows_the_final_judgement_alone(options: list[str], tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("# what was there\n")
    done = gate("-m", "sev0", *options, GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(summary))
    assert len(progress(done.stdout)) == 2
    assert summary.read_text().startswith("# what was there\n## Ordinaut: ok")
    assert summary.read_text().count("## Ordinaut") == 1
    assert done.stdout.count("::stop-commands::") == 1


def asking(gate: int) -> list[psutil.Process]:
    """Give the processes of the gate's judgement, once one has connected to what it judges."""
    children = psutil.Process(gate).children(recursive=True)
    require(any(map(_is_connected, children)), f"no judgement asks anything: {children}")
    return children


def _is_connected(process: psutil.Process) -> bool:
    try:
        return bool(process.net_connections())
    except psutil.NoSuchProcess:  # a command on the host, that has ended
        return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("judging", [True, False], ids=["judging", "waiting"])
def test_it_ends_when_it_is_told_to(
    number: signal.Signals, sandbox: EmbeddedStack, options: list[str], *, judging: bool
) -> None:
    break_stack(sandbox, FAULTS["postgres-hung" if judging else "workers-stopped"])
    with subprocess.Popen(
        command("--wait=60s", *options, "-p", "no:cacheprovider"),
        cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as run:  # fmt: skip
        assert run.stdout is not None
        children: list[psutil.Process] = []
        if judging:
            children = until(lambda: asking(run.pid), seconds=30)
        else:
            assert "firing NoActiveWorkers" in run.stdout.readline()
        run.send_signal(number)
        told = run.communicate(timeout=30)[0]
    assert run.returncode == 2, told
    assert told.splitlines()[-1] == "gate: interrupted"
    assert "target: sandbox" in told  # the last judgement, as far as it came
    assert not any(child.is_running() for child in children)
    assert "Traceback" not in told


def test_it_ends_with_make(tmp_path: Path) -> None:
    if not (ROOT / ".venv").exists():
        pytest.skip("needs the environment that make sets up")
    with subprocess.Popen(
        ["make", "--silent", "-C", str(ROOT), "gate", f"OUTPUT={tmp_path / 'output'}",
         f"ARGS=--target={nowhere(tmp_path)}"],
        env=environment(), stdout=subprocess.PIPE, text=True,
    ) as run:  # fmt: skip
        assert run.stdout is not None
        assert "firing OrchestratorAPIDown" in run.stdout.readline()
        run.terminate()
        assert "gate: interrupted" in run.communicate(timeout=30)[0]


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
    assert "another report is being written to" in done.stderr
    assert not runs_in(tmp_path)


def test_a_report_is_made_from_any_folder(tmp_path: Path) -> None:
    if not (ROOT / ".venv").exists():
        pytest.skip("needs the environment that make sets up")
    metrics, output = tmp_path / "ordinaut.prom", tmp_path / "output"
    for _ in range(2):  # the second time its files are there
        done = subprocess.run(
            ["make", "-C", str(ROOT), "report", f"OUTPUT={output}",
             f"ARGS=--target={nowhere(tmp_path)} --metrics={metrics}"],
            cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout  # nothing has lasted long enough to fire
    assert len(runs_in(output)) == 2
    assert {"index.html", "history.sqlite", "latest", ".lock"} <= {path.name for path in output.iterdir()}
    assert "ordinaut_health_alert_state" in metrics.read_text()
    results = json.loads((output / "latest" / "results.json").read_text())
    assert {alert["severity"] for alert in results["alerts"]} == {0, 1, 2, 3}
    assert "pending" in {alert["state"] for alert in results["alerts"]}


def test_a_report_that_can_be_kept_nowhere_is_made_all_the_same(tmp_path: Path) -> None:
    if not (ROOT / ".venv").exists():
        pytest.skip("needs the environment that make sets up")
    (tmp_path / "file").touch()
    done = subprocess.run(
        ["make", "-C", str(ROOT), "report", f"OUTPUT={tmp_path}/file/output", f"ARGS=--target={nowhere(tmp_path)}"],
        env=environment(), capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert "FIRING   sev0 OrchestratorAPIDown" in done.stdout  # nothing is held back that cannot be recorded
    assert "the report could not be written" in done.stdout
    assert "cannot lock the output directory; runs may overlap" in done.stderr
    assert done.returncode != 0


def test_the_readme_joins_options_and_paths() -> None:
    """A path that stands alone is a test to pytest, once it exists: then no option of ours is known."""
    apart = re.findall(r"--(?:output|metrics|results|target|html) [^\s`|]+", (ROOT / "README.md").read_text())
    assert [words for words in apart if words != "--target sandbox"] == []
