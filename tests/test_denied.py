"""What the suite itself may not look at is unknown: neither well nor broken."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.conftest import WITHOUT_ROOTS_RIGHTS, health_run

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.embedded import EmbeddedStack

STRANGER = 4711


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
@pytest.mark.parametrize("folder", ["postgres/daily", "redis", ""])
def test_backups_that_may_not_be_looked_at_are_neither_there_nor_missing(
    sandbox: EmbeddedStack, folder: str, tmp_path: Path
) -> None:
    closed = sandbox.folder / "backups" / folder
    assert closed.is_dir()
    before = closed.stat()
    os.chown(closed, STRANGER, STRANGER)
    closed.chmod(0o700)
    try:
        target = f"--target={sandbox.folder / 'target.toml'}"
        seen = health_run(tmp_path / "output", target, "-k", "backup_failed", under=WITHOUT_ROOTS_RIGHTS)
    finally:
        os.chown(closed, before.st_uid, before.st_gid)
        closed.chmod(before.st_mode)
    assert seen.status == 6, seen.output
    assert "the suite may not look at the backups: cannot " in seen.alert("BackupFailed")["message"]
