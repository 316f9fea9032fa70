"""Folders of runs that were killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from playbook.scratch import PREFIX, Scratch, remove_abandoned
from sandbox.polling import require, until
from tests.projects import Project, environment, nowhere

if TYPE_CHECKING:
    from tests.conftest import Judge

WAITS = """
import os, threading

@trigger()
def test_it_comes_to_an_end():
    if "WAIT" in os.environ:
        threading.Event().wait()
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary directory that no other process uses."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_a_folder_lives_as_long_as_it_is_used(temporary: Path) -> None:
    with Scratch("mine") as name:
        remove_abandoned()
        assert [str(path) for path in temporary.iterdir()] == [name]
        assert Path(name).stat().st_mode & 0o777 == 0o700
    assert not list(temporary.iterdir())


def test_nothing_but_an_abandoned_folder_is_removed(temporary: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    abandoned = temporary / f"{PREFIX}report-abcd1234"
    abandoned.mkdir()
    (abandoned / "report.html").touch()
    kept = [temporary / name for name in (f"{PREFIX}report", f"{PREFIX}report-abcd1234-mine", "ordinaut-checks")]
    for path in kept:
        path.mkdir()
    (link := temporary / f"{PREFIX}report-abcd1235").symlink_to(tmp_path / "elsewhere")
    (file := temporary / f"{PREFIX}report-abcd1236").touch()
    if os.geteuid() == 0:
        (others := temporary / f"{PREFIX}report-abcd1237").mkdir()
        os.chown(others, 12345, 12345)
        kept.append(others)
    remove_abandoned()
    assert {*temporary.iterdir()} == {*kept, link, file}
    assert (tmp_path / "elsewhere").exists()


def test_a_folder_that_was_taken_for_abandoned_is_made_again(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import playbook.scratch as module

    real, opened = module._opened, []

    def taken_away_once(folder: str) -> int:
        opened.append(folder)
        if len(opened) == 1:
            Path(folder).rmdir()
        return real(folder)

    monkeypatch.setattr(module, "_opened", taken_away_once)
    with Scratch("mine") as name:
        assert [str(path) for path in temporary.iterdir()] == [name] == opened[1:]


def test_the_next_run_removes_what_a_killed_one_left(
    empty_project: Project, judge: Judge, tmp_path: Path, temporary: Path
) -> None:
    target = nowhere(tmp_path)
    empty_project.add_alert("it_waits", WAITS)
    command = [sys.executable, "-m", "pytest", f"--target={target}", f"--output={tmp_path}/killed"]
    with subprocess.Popen(command, cwd=empty_project.folder, env=environment(TMPDIR=str(temporary), WAIT="1")) as run:
        until(lambda: require(list(temporary.iterdir()), "it has not begun"), 30)
        left = list(temporary.iterdir())
        assert judge(target=target, cwd=empty_project.folder, TMPDIR=str(temporary)).status == 0
        assert list(temporary.iterdir()) == left  # it lives
        run.send_signal(signal.SIGKILL)
    assert list(temporary.iterdir()) == left
    assert judge(target=target, cwd=empty_project.folder, TMPDIR=str(temporary)).status == 0
    assert not list(temporary.iterdir())
