"""`make verify-backups` reads what a run has no time for, and later runs know it."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from sandbox import backups
from sandbox.faults.backups import put_too_large
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sandbox.embedded import EmbeddedStack
    from tests.conftest import Judge


class Verify:
    """Runs the command as a user does, with the cache of the runs that `judge` makes, whose calls must be short."""

    def __init__(self, stack: EmbeddedStack, folder: Path) -> None:
        self.target = folder / "target.toml"
        self.target.write_text(f"{(stack.folder / 'target.toml').read_text()}\n[deadlines]\ncall = 1.5\n")
        self._arguments = [f"--target={self.target}", "-o", f"cache_dir={folder / 'cache'}"]

    def __call__(self, *arguments: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "reports.commands.verify_backups", *self._arguments, *arguments]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def verify(sandbox: EmbeddedStack, tmp_path: Path) -> Iterator[Verify]:
    yield Verify(sandbox, tmp_path)
    backups.make(sandbox)


def test_a_dump_that_is_too_large_for_a_run_is_broken_once_it_was_verified(
    sandbox: EmbeddedStack, verify: Verify, judge: Judge
) -> None:
    put_too_large(sandbox, gigabytes=2)
    alert = judge("-k", "backup_failed", target=verify.target).alert("BackupFailed")
    assert (alert["state"], alert["measured"]["text"].endswith("; not verified in full")) == ("ok", True)
    status, printed = verify()
    assert status == 1, printed
    assert "it does not end with the line '-- PostgreSQL database dump complete'" in printed
    seen = judge("-k", "backup_failed", target=verify.target)
    assert seen.status == 1, seen.output
    assert seen.alert("BackupFailed")["causes"][0]["name"] == "dump-broken"
    backups.make(sandbox)
    assert verify()[0] == 0
    assert judge("-k", "backup_failed", target=verify.target).status == 0


def test_what_cannot_be_read_within_the_budget_is_not_verified(sandbox: EmbeddedStack, verify: Verify) -> None:
    put_too_large(sandbox, gigabytes=2)
    status, printed = verify("--budget=1s")
    assert status == 6, printed
    assert "not verified in full" in printed


def test_whole_backups_are_named(sandbox: EmbeddedStack, verify: Verify) -> None:
    status, printed = verify()
    assert status == 0, printed
    lines = printed.splitlines()
    for kind, line in zip(("postgres", "redis"), lines, strict=True):
        assert line.startswith(str(backups.newest(sandbox, kind)))
        assert line.endswith(": whole")


def test_without_a_backup_nothing_is_verified(sandbox: EmbeddedStack, verify: Verify) -> None:
    for path in backups.files(sandbox, "postgres", "redis"):
        path.unlink()
    assert verify()[0] == 6


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("--budget=soon", "'soon' is not a duration"),
        ("--budget=0", "it must be between 1 s and 1 d"),
        ("--target=/nowhere.toml", "no such settings file"),
        ("-pno:cacheprovider", "without pytest's cache no run would know what was found"),
        ("--no-such-option", "unrecognized arguments"),
    ],
)
def test_wrong_usage_has_pytests_status(verify: Verify, argument: str, words: str) -> None:
    status, printed = verify(argument)
    assert status == 4, printed
    assert words in printed
