"""Where runs are written: a folder each, whole or not at all, readable by the owner alone."""

from __future__ import annotations

import os
import shutil
import tempfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path


def write_run(root: Path, started: datetime, files: dict[str, str], *, moves_latest: bool) -> Path:
    """Write a run's files into `<root>/<time>/` and point `<root>/latest` to it; OSError when that cannot be.

    The folder appears under its name only once it is complete, and `latest` is replaced in one step.
    """
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    building = tempfile.mkdtemp(prefix=".writing-", dir=root)  # made for the owner alone
    try:
        for name, text in files.items():
            with open(os.open(os.path.join(building, name), os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:  # noqa: PTH118, PTH123
                file.write(text)
        folder = _name(root, started)
        os.rename(building, folder)  # noqa: PTH104
    except OSError:
        shutil.rmtree(building, ignore_errors=True)
        raise
    if moves_latest:
        link = root / f".latest-{os.getpid()}"
        link.unlink(missing_ok=True)
        link.symlink_to(folder.name)
        link.replace(root / "latest")
    return folder


def _name(root: Path, started: datetime) -> Path:
    """Name a run by its start; two runs of one second are told apart."""
    name = started.strftime("%Y-%m-%dT%H-%M-%SZ")
    folder, twin = root / name, 2
    while folder.exists():
        folder, twin = root / f"{name}-{twin}", twin + 1
    return folder
