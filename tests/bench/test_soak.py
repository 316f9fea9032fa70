"""Whatever the circumstances of a run: a healthy stack raises nothing, a broken one is never green."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench import soak

if TYPE_CHECKING:
    from sandbox.embedded import EmbeddedStack

PARTS, RUNS = range(5), 10  # runs of each part: 50 healthy and 50 broken ones


@pytest.mark.parametrize("seed", PARTS)
def test_no_healthy_run_raises_anything(sandbox: EmbeddedStack, seed: int) -> None:
    wrong = soak.healthy(sandbox, RUNS, seed)
    assert not wrong, "\n\n".join(wrong)


@pytest.mark.parametrize("seed", PARTS)
def test_no_broken_run_is_green(sandbox: EmbeddedStack, seed: int) -> None:
    wrong = soak.broken(sandbox, RUNS, seed)
    assert not wrong, "\n\n".join(wrong)


def test_the_module_of_a_fault_is_that_of_its_alert() -> None:
    modules = {soak.module_of(fault) for fault in soak.FIRING.values()}
    assert {"orchestrator_api_down", "no_active_workers"} <= modules
