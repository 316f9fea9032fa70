"""Up, status, down: side by side, interrupted, and with nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from sandbox import servers
from sandbox.__main__ import main
from sandbox.breaking import break_stack
from sandbox.embedded import REPOSITORY, EmbeddedStack
from sandbox.faults import FAULTS
from sandbox.polling import NotYet, require, until
from sandbox.servers import SandboxError
from sandbox.state import State

if TYPE_CHECKING:
    from collections.abc import Iterator

STUB = """
import os, signal, time
from pathlib import Path

def pytest_addoption(parser):
    parser.addoption("--target")

def pytest_sessionstart(session):
    try:
        Path("told").write_text(session.config.option.target)
        Path("told").rename("target")
        if Path("slow").exists():
            time.sleep(60)
    finally:
        Path("report").write_text("incomplete")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Return a place for a sandbox, which is ended if a test fails to."""
    place = tmp_path / "sandbox"
    yield place
    main(["down", "--dir", str(place)])


def of(folder: Path) -> list[str]:
    """Return the processes that name this folder in their command or environment."""
    found = []
    for process in psutil.process_iter():
        try:
            text = " ".join([*process.cmdline(), *process.environ().values()])
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue  # it ended, or is another user's: none of ours
        if str(folder) in text and process.pid != os.getpid():
            found.append(text)
    return found


def listens(port: int) -> bool:
    """Say whether a connection to the port is accepted."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def require_nothing_left(folder: Path) -> None:
    """Raise NotYet while there is a process or a file of the sandbox."""
    require(not of(folder), f"still there: {of(folder)}")
    require(not folder.exists(), f"{folder} is still there")


def start(*arguments: str, code: str = "") -> subprocess.Popen[bytes]:
    """Run the sandbox's command line as one would in a terminal."""
    command = ["-c", code] if code else ["-m", "sandbox"]
    return subprocess.Popen(
        [sys.executable, *command, *arguments],
        cwd=REPOSITORY,
        stderr=subprocess.DEVNULL,
        # A test run in the background of a script may have SIGINT ignored, which a child would inherit.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def test_two_stand_side_by_side(running: EmbeddedStack, folder: Path) -> None:
    other = EmbeddedStack.up(folder)
    other.require_healthy()
    running.require_healthy()
    assert not set(other.state.ports.values()) & set(running.state.ports.values())
    other.down()
    running.require_healthy()


def test_down_leaves_nothing_whatever_state_it_is_in(folder: Path) -> None:
    stack = EmbeddedStack.up(folder)
    ports = stack.state.ports.values()
    assert all(listens(port) for port in ports)
    assert of(folder)
    for service in (stack.postgres, stack.api, stack.workers[0]):
        service.freeze()
    stack.scheduler.stop()
    break_stack(stack, FAULTS["disk-low"])  # may have mounted something there
    assert main(["down", "--dir", str(folder)]) == 0
    require_nothing_left(folder)
    assert not any(listens(port) for port in ports)
    assert main(["down", "--dir", str(folder)]) == 0


def test_status_says_how_it_is(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--dir", str(folder)]) == 1
    stack = EmbeddedStack.up(folder)
    assert main(["break", "redis-hung", "--dir", str(folder)]) == 0
    capsys.readouterr()
    assert main(["status", "--dir", str(folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [
        "postgres", "redis", "api", "scheduler", "worker-1", "worker-2", "faults:",
    ]  # fmt: skip
    assert lines[1].split()[1:] == [
        "frozen",
        "pid",
        str(stack.redis.pid),
        "port",
        str(stack.state.ports["redis"]),
    ]
    assert lines[-1] == "faults: redis-hung"


def test_large_tables_are_filled(folder: Path) -> None:
    counts = "SELECT (SELECT count(*) FROM task_run), (SELECT count(*) FROM due_work WHERE run_at < now())"
    stack = EmbeddedStack.up(folder)
    ((runs, due),) = stack.sql(counts)
    assert main(["fill", "--dir", str(folder), "--runs", "300", "--items", "2500"]) == 0
    ((more_runs, more_due),) = stack.sql(counts)
    assert more_runs >= runs + 300
    assert due + 1990 < more_due < due + 2010  # the rest lies ahead


def test_settings_are_the_owners_alone(running: EmbeddedStack) -> None:
    for name in ("target.toml", "state.json"):
        assert stat.S_IMODE((running.folder / name).stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("service", "number"),
    [("api", signal.SIGTERM), ("postgres", signal.SIGINT), ("worker-1", signal.SIGTERM)],
    ids=["api-SIGTERM", "postgres-SIGINT", "worker-1-SIGTERM"],
)
def test_an_interrupted_up_leaves_nothing(folder: Path, service: str, number: signal.Signals) -> None:
    def launched() -> None:
        try:
            state = State.load(folder)
        except FileNotFoundError as error:
            raise NotYet("nothing is written down") from error
        require(service in state.processes, f"{service} is not started")

    with start("up", "--dir", str(folder)) as command:
        until(launched, 60, every=0.001)
        command.send_signal(number)
        command.send_signal(number)  # an impatient person's second Ctrl-C
        assert command.wait(20) == 128 + number
    require_nothing_left(folder)


def test_a_failing_up_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise SandboxError("initdb failed")

    monkeypatch.setattr(servers, "make_database_cluster", fail)
    with pytest.raises(SandboxError, match="initdb failed"):
        EmbeddedStack.up(folder)
    require_nothing_left(folder)


def test_up_takes_no_folder_that_holds_something_else(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    assert main(["up", "--dir", str(tmp_path)]) == 1
    assert main(["down", "--dir", str(tmp_path)]) == 0
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_second_up_is_refused_and_harms_nothing(running: EmbeddedStack) -> None:
    assert main(["up", "--dir", str(running.folder)]) == 1
    running.require_healthy()


def test_down_spares_a_stranger_with_the_same_pid(folder: Path) -> None:
    folder.mkdir()
    with subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"]) as stranger:
        content = {"processes": {"api": {"pid": stranger.pid, "created": 1.0}}}
        (folder / "state.json").write_text(json.dumps(content))
        assert main(["down", "--dir", str(folder)]) == 0
        assert stranger.poll() is None
        stranger.kill()


def test_a_path_too_long_for_a_socket_is_no_hindrance(folder: Path) -> None:
    stack = EmbeddedStack.up(folder / ("long-" * 20))
    sockets = Path(stack.state.socket_folder)
    assert not sockets.is_relative_to(folder)
    stack.down()
    assert not sockets.exists()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project whose checks only look whether they were given a target."""
    place = tmp_path / "project"
    place.mkdir()
    (place / "conftest.py").write_text(STUB)
    (place / "test_it.py").write_text("def test_it(): assert False\n")
    return place


DEMO = """
import pathlib, sys
import sandbox.__main__ as command
command.REPOSITORY = pathlib.Path(sys.argv[1])
sys.exit(command.main(["demo"]))
"""


def test_a_demo_ends_with_the_verdict_of_its_checks_and_leaves_nothing(project: Path) -> None:
    with start(str(project), code=DEMO) as command:
        assert command.wait(60) == 1
    require_nothing_left(Path((project / "target").read_text()).parent)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_an_interrupted_demo_leaves_its_report_and_nothing_else(project: Path, number: signal.Signals) -> None:
    (project / "slow").touch()
    with start(str(project), code=DEMO) as command:
        until(lambda: require((project / "target").exists(), "the checks do not run yet"), 30)
        command.send_signal(number)
        assert command.wait(30) == 128 + number
    assert (project / "report").read_text() == "incomplete"
    require_nothing_left(Path((project / "target").read_text()).parent)
