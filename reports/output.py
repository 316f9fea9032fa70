"""Where runs are written: a folder each, whole or not at all, readable by the owner alone."""

from __future__ import annotations

import errno
import os
import re
import shutil
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

BUILDING = ".writing-"
ABANDONED = 3600.0  # seconds: nobody is writing into it any more
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


def replace_file(path: Path, text: str) -> None:
    """Write a file of the owner's alone, whole or not at all; OSError when that cannot be."""
    new = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        new.touch(mode=0o600)
        new.write_text(text, encoding="utf-8")
        new.replace(path)
    except OSError:
        new.unlink(missing_ok=True)
        raise


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
