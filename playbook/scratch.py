"""Folders for what a run needs on disk while it lasts: its user's alone, and gone with it, however it ends."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

PREFIX = "ordinaut-temporary-"
_NAME = re.compile(rf"{PREFIX}[a-z]+-\w{{8}}")


class Scratch(tempfile.TemporaryDirectory[str]):
    """A new folder in the temporary directory, locked while this process lives; OSError where there is none."""

    def __init__(self, what: str) -> None:
        while True:
            super().__init__(prefix=f"{PREFIX}{what}-", ignore_cleanup_errors=True)
            with suppress(FileNotFoundError):  # until it is locked, another run may take it for abandoned
                lock = _opened(self.name)  # closed with the process
                with suppress(OSError):  # a file system without locks: nothing is removed there
                    fcntl.flock(lock, fcntl.LOCK_EX)
                if Path(self.name).exists():
                    return
                os.close(lock)


def remove_abandoned() -> None:
    """Remove such folders of this user that no process holds any more: those of runs that were killed."""
    paths = []
    with suppress(OSError), os.scandir(tempfile.gettempdir()) as entries:
        paths = [entry.path for entry in entries if _NAME.fullmatch(entry.name)]
    for path in paths:
        with suppress(OSError):  # it has gone, or is somebody's
            folder = _opened(path)
            try:
                if os.fstat(folder).st_uid == os.geteuid():
                    fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(path, ignore_errors=True)
            finally:
                os.close(folder)


def _opened(folder: str) -> int:
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
