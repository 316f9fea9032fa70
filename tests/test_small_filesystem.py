"""Disk space and inodes on a real file system that is really full: an ext4 image of the test's own, mounted."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sandbox.embedded import EmbeddedStack
    from tests.conftest import Judge

MEBIBYTES, INODES = 16, 64


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("needs root, to mount a file system")
    image, place = tmp_path / "image", tmp_path / "mounted"
    place.mkdir()
    with image.open("wb") as file:
        file.truncate(MEBIBYTES * 1024**2)
    mkfs = shutil.which("mkfs.ext4") or "/usr/sbin/mkfs.ext4"
    subprocess.run([mkfs, "-q", "-F", "-N", str(INODES), str(image)], check=True)
    mount = subprocess.run(["mount", "-o", "loop", str(image), str(place)], capture_output=True, text=True, check=False)
    if mount.returncode != 0 and "CI" not in os.environ:
        pytest.skip(f"no file system can be mounted here: {mount.stderr.strip()}")
    assert mount.returncode == 0, mount.stderr
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.fixture
def target(mounted: Path, sandbox: EmbeddedStack, tmp_path: Path) -> Path:
    """The sandbox, on that file system, with the playbook's limits."""
    text = (sandbox.folder / "target.toml").read_text()
    text = re.sub(r"mounts = .*", f'mounts = ["{mounted}"]', text)
    text = re.sub(r"\[limits\.DiskSpaceCritical\]\n.*\n.*\n", "", text)
    path = tmp_path / "target.toml"
    path.write_text(text)
    return path


def test_an_empty_file_system_is_ok(target: Path, judge: Judge) -> None:
    seen = judge("-k", "disk_space", target=target)
    assert seen.status == 0, seen.output


def test_a_full_one_fires(mounted: Path, target: Path, judge: Judge) -> None:
    (mounted / "large").write_bytes(b"x" * 14 * 1024**2)
    seen = judge("-k", "disk_space", target=target)
    assert seen.status == 1, seen.output
    assert [cause["name"] for cause in seen.alert("DiskSpaceCritical")["causes"]] == ["space-low"]
    assert str(mounted) in seen.alert("DiskSpaceCritical")["message"]


def test_one_without_inodes_fires_while_space_is_left(mounted: Path, target: Path, judge: Judge) -> None:
    for number in range(INODES - 14):
        (mounted / str(number)).touch()
    seen = judge("-k", "disk_space", target=target)
    assert seen.status == 1, seen.output
    assert [cause["name"] for cause in seen.alert("DiskSpaceCritical")["causes"]] == ["inodes-low"]
