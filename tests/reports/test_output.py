from __future__ import annotations

import os
import socket
import stat
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import Mock

import pytest

from reports.output import ABANDONED, prune, replace_file, write_run
from sandbox.polling import not_yet, until

NOON = datetime(2026, 3, 4, 12, 0, 0, tzinfo=UTC)
ONE = datetime(2026, 3, 4, 13, 0, 0, tzinfo=UTC)
FILES = {"report.html": "<html>", "results.json": "{}"}


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_run_is_written_under_its_time(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "output", NOON, FILES, moves_latest=True)
    assert folder == tmp_path / "output" / "2026-03-04T12-00-00Z"
    assert {path.name: path.read_text() for path in folder.iterdir()} == FILES


def test_only_the_owner_reads_a_run(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "new" / "output", NOON, FILES, moves_latest=True)
    assert mode(folder) == mode(folder.parent) == 0o700
    assert {mode(path) for path in folder.iterdir()} == {0o600}


def test_only_the_owner_reads_a_run_in_a_folder_that_others_read(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    folder = write_run(tmp_path, NOON, FILES, moves_latest=True)
    assert mode(folder) == 0o700


def test_latest_points_to_the_newest_whole_run(tmp_path: Path) -> None:
    whole = write_run(tmp_path, NOON, FILES, moves_latest=True)
    write_run(tmp_path, ONE, FILES, moves_latest=False)
    assert (tmp_path / "latest").resolve() == whole
    newer = write_run(tmp_path, ONE, FILES, moves_latest=True)
    assert (tmp_path / "latest").resolve() == newer


def test_latest_still_points_to_it_after_the_output_was_moved(tmp_path: Path) -> None:
    write_run(tmp_path / "output", NOON, FILES, moves_latest=True)
    (tmp_path / "output").rename(tmp_path / "moved")
    assert (tmp_path / "moved" / "latest" / "results.json").read_text() == "{}"


def test_runs_of_one_second_have_folders_of_their_own(tmp_path: Path) -> None:
    names = [write_run(tmp_path, NOON, FILES, moves_latest=True).name for _ in range(3)]
    assert names == ["2026-03-04T12-00-00Z", "2026-03-04T12-00-00Z-2", "2026-03-04T12-00-00Z-3"]
    assert (tmp_path / "latest").resolve().name == names[-1]


def test_runs_written_at_the_same_moment_have_folders_of_their_own(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        folders = set(pool.map(lambda _: write_run(tmp_path, NOON, FILES, moves_latest=False), range(64)))
    assert len(folders) == 64
    assert all((folder / "report.html").exists() for folder in folders)


def test_any_other_error_is_not_retried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pathlib.Path.rename", Mock(side_effect=PermissionError("not here")))
    with pytest.raises(PermissionError):
        write_run(tmp_path, NOON, FILES, moves_latest=False)


def test_all_but_the_newest_runs_are_removed(tmp_path: Path) -> None:
    for minute in range(5):
        write_run(tmp_path, NOON + timedelta(minutes=minute), FILES, moves_latest=True)
    (tmp_path / "mine").mkdir()
    prune(tmp_path, 2)
    kept = {"2026-03-04T12-03-00Z", "2026-03-04T12-04-00Z", "latest", "mine"}
    assert {path.name for path in tmp_path.iterdir()} == kept


def test_the_run_that_latest_points_to_is_kept(tmp_path: Path) -> None:
    whole = write_run(tmp_path, NOON, FILES, moves_latest=True)
    for minute in range(1, 5):
        write_run(tmp_path, NOON + timedelta(minutes=minute), FILES, moves_latest=False)
    prune(tmp_path, 2)
    assert (tmp_path / "latest" / "report.html").exists()
    assert len(list(tmp_path.glob("20*"))) == 3
    assert whole.exists()


def test_runs_of_a_clock_that_was_ahead_do_not_crowd_out_the_new_ones(tmp_path: Path) -> None:
    ahead = datetime.now(UTC) + timedelta(hours=3)
    for minute in range(3):
        write_run(tmp_path, ahead + timedelta(minutes=minute), FILES, moves_latest=False)
    newest = write_run(tmp_path, NOON, FILES, moves_latest=False)
    prune(tmp_path, 2)
    assert newest.exists()
    assert len(list(tmp_path.iterdir())) == 2


def test_leftovers_of_a_killed_run_are_removed_after_an_hour(tmp_path: Path) -> None:
    for name, age in ((".writing-old", 2 * ABANDONED), (".writing-new", 1.0)):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    prune(tmp_path, 2)
    assert {path.name for path in tmp_path.iterdir()} == {".writing-new"}


def test_a_run_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    whole = write_run(tmp_path, NOON, FILES, moves_latest=True)
    with pytest.raises(OSError, match="no-such-folder"):
        write_run(tmp_path, ONE, FILES | {"no-such-folder/file": ""}, moves_latest=True)
    assert {path.name for path in tmp_path.iterdir()} == {whole.name, "latest"}
    assert (tmp_path / "latest").resolve() == whole


# -- a file that the user names


def test_a_file_is_replaced_in_one_step(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    for text in ("one", "•••"):
        replace_file(path, text)
        assert (path.read_text("utf-8"), mode(path)) == (text, 0o600)
    replace_file(path, "for all", 0o644)
    assert mode(path) == 0o644
    assert [each.name for each in tmp_path.iterdir()] == ["results.json"]


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "folder", tmp_path / "none" / "results.json"):
        with pytest.raises(OSError, match=path.name):
            replace_file(path, "")
    assert [each.name for each in tmp_path.rglob("*")] == ["folder"]


def test_a_link_that_somebody_laid_is_not_followed(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.write_text("keep")
    shared = tmp_path / "shared"
    shared.mkdir()
    for name in (f".results.json-{os.getpid()}", "results.json", f"results.json.{os.getpid()}.tmp"):
        (shared / name).symlink_to(mine)
    with pytest.raises(OSError, match="symbolic link"):
        replace_file(shared / "results.json", "text")
    (shared / "results.json").unlink()
    replace_file(shared / "results.json", "text")
    assert (mine.read_text(), (shared / "results.json").read_text()) == ("keep", "text")


def devices(folder: Path) -> list[Path]:
    """Return a device, and a link to one."""
    found = [folder / "link"]
    found[0].symlink_to("/dev/null")
    if os.geteuid() == 0:
        found.append(folder / "device")
        os.mknod(found[1], stat.S_IFCHR | 0o600, Path("/dev/null").stat().st_rdev)
    return found


def test_a_device_is_written_to_and_stays_one(tmp_path: Path) -> None:
    for path in devices(tmp_path):
        before = path.lstat()
        replace_file(path, "text", 0o644)
        after = path.lstat()
        assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)


def test_a_pipe_is_written_to_as_long_as_somebody_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="pipe"):  # nobody has opened it
        replace_file(pipe, "text")
    text = "x" * 2**20
    with ThreadPoolExecutor(1) as pool, subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE, text=True) as reader:
        read = pool.submit(lambda: reader.communicate()[0])
        until(lambda: written(pipe, text), 10)
        assert read.result() == text
    monkeypatch.setattr("reports.output.PATIENCE", 0.1)
    idle = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with pytest.raises(TimeoutError, match="nobody reads from it"):
        replace_file(pipe, text)
    os.close(idle)
    assert pipe.is_fifo()


def written(pipe: Path, text: str) -> None:
    with not_yet("nobody has opened the pipe", OSError):
        replace_file(pipe, text)


def test_a_socket_is_not_written_to(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        with pytest.raises(OSError, match="socket"):
            replace_file(tmp_path / "socket", "text")


def test_text_is_written_as_utf_8(tmp_path: Path) -> None:
    folder = write_run(tmp_path, NOON, {"results.json": "•••"}, moves_latest=True)
    assert (folder / "results.json").read_bytes() == "•••".encode()
