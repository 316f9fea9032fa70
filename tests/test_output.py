from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from reports.output import write_run

if TYPE_CHECKING:
    from pathlib import Path

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


def test_latest_still_points_there_when_everything_was_moved(tmp_path: Path) -> None:
    write_run(tmp_path / "output", NOON, FILES, moves_latest=True)
    (tmp_path / "output").rename(tmp_path / "moved")
    assert (tmp_path / "moved" / "latest" / "results.json").read_text() == "{}"


def test_runs_of_one_second_are_told_apart(tmp_path: Path) -> None:
    names = [write_run(tmp_path, NOON, FILES, moves_latest=True).name for _ in range(3)]
    assert names == ["2026-03-04T12-00-00Z", "2026-03-04T12-00-00Z-2", "2026-03-04T12-00-00Z-3"]
    assert (tmp_path / "latest").resolve().name == names[-1]


def test_a_run_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    whole = write_run(tmp_path, NOON, FILES, moves_latest=True)
    with pytest.raises(OSError, match="no-such-folder"):
        write_run(tmp_path, ONE, FILES | {"no-such-folder/file": ""}, moves_latest=True)
    assert {path.name for path in tmp_path.iterdir()} == {whole.name, "latest"}
    assert (tmp_path / "latest").resolve() == whole


def test_text_is_written_as_utf_8(tmp_path: Path) -> None:
    folder = write_run(tmp_path, NOON, {"results.json": "•••"}, moves_latest=True)
    assert (folder / "results.json").read_bytes() == "•••".encode()
