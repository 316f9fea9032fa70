"""What `make bench` measures is what it says: a run that ends otherwise than it had to is no figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.processes import UnexpectedError, health_run, raised_nothing
from sandbox.breaking import break_stack
from sandbox.faults import FAULTS

if TYPE_CHECKING:
    from sandbox.embedded import EmbeddedStack


def test_a_run_that_fails_fast_is_not_timed() -> None:
    with pytest.raises(UnexpectedError, match="status 4, not 0"):
        health_run("--target=/nowhere")


def test_false_alarms_are_counted_and_shown(sandbox: EmbeddedStack, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = (f"--target={sandbox.folder / 'target.toml'}", "-k", "no_active_workers")
    assert raised_nothing("Healthy", 2, *arguments)
    assert "Healthy: none of 2 runs raised anything: reached" in capsys.readouterr().out
    break_stack(sandbox, FAULTS["workers-stopped"])
    assert not raised_nothing("Broken", 1, *arguments)
    said = capsys.readouterr().out
    assert "Broken: 1 of 1 runs raised anything: NOT reached" in said
    assert "FIRING   sev0 NoActiveWorkers" in said
