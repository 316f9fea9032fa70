"""Where runs are written: a folder each, whole or not at all, readable by the owner alone."""

from __future__ import annotations

import errno
import os
import re
import select
import shutil
import stat
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

BUILDING = ".writing-"
ABANDONED = 3600.0  # seconds: nobody is writing into it any more
PATIENCE = 2.0  # seconds that the reader of a pipe has for a part
TWINS = 1000
_TIME = "%Y-%m-%dT%H-%M-%SZ"
_RUN = re.compile(r"(\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ)(?:-(\d+))?")


def write_run(root: Path, started: datetime, files: dict[str, str], *, moves_latest: bool) -> Path:
    """Write a run's files into `<root>/<time>/` and point `<root>/latest` to it; OSError when that cannot be.

    The folder appears under its name only once it is complete, and `latest` is replaced in one step.
    """
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=BUILDING, dir=root))  # made for the owner alone
    try:
        for name, text in files.items():
            (building / name).touch(mode=0o600)
            (building / name).write_text(text, encoding="utf-8", errors="backslashreplace")
        folder = _named(building, started)
    except OSError:
        shutil.rmtree(building, ignore_errors=True)
        raise
    if moves_latest:
        link = root / f".latest-{os.getpid()}"
        link.unlink(missing_ok=True)
        link.symlink_to(folder.name)
        link.replace(root / "latest")
    return folder


def replace_file(path: Path, text: str, mode: int = 0o600) -> None:
    """Write a file, whole or not at all, by default for its owner alone; OSError when that cannot be.

    A device or a pipe is written to and never replaced. A symbolic link to a file is refused: in a folder that others
    write to, it may lead anywhere.
    """
    data = text.encode("utf-8", "backslashreplace")
    if path.exists() and not path.is_file():
        _write_to_device(path, data)
        return
    if path.is_symlink():
        raise OSError(errno.ELOOP, "it is a symbolic link; name the file itself", str(path))
    descriptor, new = tempfile.mkstemp(prefix=f".{path.name[:100]}-", dir=path.parent)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123
            os.fchmod(descriptor, mode)
            file.write(data)
        os.replace(new, path)  # noqa: PTH105
    except BaseException:
        os.unlink(new)  # noqa: PTH108
        raise


def _write_to_device(path: Path, data: bytes) -> None:
    """Write to a device or a pipe, as long as somebody takes it; OSError for whatever else is no regular file."""
    descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
    try:
        kind = os.fstat(descriptor).st_mode
        if not (stat.S_ISCHR(kind) or stat.S_ISFIFO(kind)):
            raise OSError(errno.EINVAL, "it is no file, pipe or terminal", str(path))
        left = memoryview(data)
        while left:
            if not select.select([], [descriptor], [], PATIENCE)[1]:
                raise TimeoutError(errno.ETIMEDOUT, "nobody reads from it", str(path))
            left = left[os.write(descriptor, left) :]
    finally:
        os.close(descriptor)


def prune(root: Path, keep: int) -> None:
    """Remove all but the newest runs, and what killed ones left; whatever is not named like a run is left alone.

    The run that `latest` points to stays, however many partial ones came after it. A run whose time is still to come,
    because the clock was wrong, counts as an old one.
    """
    latest = (root / "latest").resolve().name
    now = datetime.now(UTC).strftime(_TIME)
    names = (entry.name for entry in os.scandir(root) if _RUN.fullmatch(entry.name))
    runs = sorted(names, key=lambda name: (_age(name)[0] <= now, _age(name)))
    left = [path.name for path in root.glob(f"{BUILDING}*") if _is_abandoned(path)]
    for name in (*runs[:-keep], *left):
        if name != latest:
            shutil.rmtree(root / name, ignore_errors=True)


def _is_abandoned(building: Path) -> bool:
    try:
        return time.time() - building.stat().st_mtime > ABANDONED
    except FileNotFoundError:  # its run has just named it
        return False


def _age(name: str) -> tuple[str, int]:
    found = _RUN.fullmatch(name)
    assert found is not None
    return found[1], int(found[2] or 1)


def _named(building: Path, started: datetime) -> Path:
    """Name a run by its start; two runs of one second are told apart, also where both are named at this moment."""
    name = started.strftime(_TIME)
    for folder in (building.with_name(name), *(building.with_name(f"{name}-{twin}") for twin in range(2, TWINS))):
        try:
            return building.rename(folder)  # fails where the folder is there, since it is not empty
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
    raise FileExistsError(errno.EEXIST, "too many runs of one second", name)
