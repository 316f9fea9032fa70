"""A small file system in the sandbox's folder, which faults fill. It needs root and a loop device."""

from __future__ import annotations

import errno
import os
import subprocess
from itertools import count
from typing import TYPE_CHECKING

from sandbox.servers import SandboxError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SIZE = 64 * 2**20
FEW_INODES = 64
NEXT_TO_NOTHING = 0.001  # the share that ext4 may reserve, and the limit in the sandbox's settings
SECONDS = 20
WITH_SBIN = {"PATH": f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin", "LC_ALL": "C"}


def place_of(folder: Path) -> Path:
    """Return its mount point."""
    return folder / "disk"


def _image_of(folder: Path) -> Path:
    return folder / "disk.img"


def attach(folder: Path, *, inodes: int | None = None) -> None:
    """Make and mount an empty one; SandboxError where rights or tools are missing."""
    place, image = place_of(folder), _image_of(folder)
    place.mkdir(exist_ok=True)
    image.touch()
    os.truncate(image, SIZE)
    _run("mkfs.ext4", "-q", "-F", "-m", "0", *(("-N", str(inodes)) if inodes else ()), str(image))
    _run("mount", "-o", "loop,nosuid,nodev,noexec", str(image), str(place))


def detach(folder: Path) -> None:
    """Unmount and remove it, if it exists."""
    place = place_of(folder)
    if place.is_mount():
        _run("umount", str(place))
    if place.exists():
        place.rmdir()
    _image_of(folder).unlink(missing_ok=True)


def fill_space(folder: Path) -> None:
    """Write a file until no space is left."""
    with (place_of(folder) / "filling").open("wb", buffering=0) as file:
        for size in (2**20, 2**12):  # in the end less than a block is free

            def add(size: int = size) -> None:
                file.write(bytes(size))
                os.fsync(file)  # otherwise the error may come later

            _until_full(add)


def fill_inodes(folder: Path) -> None:
    """Make empty files until no inode is left."""
    numbers = count()
    _until_full(lambda: (place_of(folder) / f"{next(numbers)}").touch(exist_ok=False))


def is_full(folder: Path) -> bool:
    """Return whether its space or its inodes are used up."""
    stat = os.statvfs(place_of(folder))
    return min(stat.f_bavail / stat.f_blocks, stat.f_favail / stat.f_files) < NEXT_TO_NOTHING


def _until_full(add: Callable[[], object]) -> None:
    try:
        while True:
            add()
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise


def _run(*command: str) -> None:
    try:
        subprocess.run(command, env=WITH_SBIN, capture_output=True, text=True, timeout=SECONDS, check=True)  # noqa: S603  our own
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", None) or error
        raise SandboxError(f"{command[0]} does not work here: {str(said).strip()}") from error
