"""A sandbox with monitoring, for the tests that need one."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from sandbox.breaking import heal_stack
from sandbox.embedded import EmbeddedStack
from sandbox.monitoring import programs
from sandbox.monitoring.programs import PACKAGES
from sandbox.processes import free_port
from tests.conftest import needs
from tests.servers import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Judge, Judgement

ASK_AGAIN = "since: ask again"
TIMES = 8


@pytest.fixture(scope="session")
def running_watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStack]:
    """One sandbox with monitoring for all tests of a session; each leaves it healthy."""
    for program in PACKAGES:
        needs(program)
    stack = EmbeddedStack.up(tmp_path_factory.mktemp("watched") / "sandbox", monitoring=True)
    yield stack
    stack.down()


@pytest.fixture
def watched(running_watched: EmbeddedStack) -> Iterator[EmbeddedStack]:
    """A healthy sandbox with monitoring; what a test leaves broken is healed."""
    yield running_watched
    if running_watched.state.broken:
        heal_stack(running_watched)


def judged_once_settled(judge: Judge, target: Path, *arguments: str) -> Judgement:
    """Judge again while the verdict says so: Prometheus has just loaded its configuration."""
    for _ in range(TIMES):
        seen = judge(*arguments, target=target)
        if ASK_AGAIN not in seen.output:
            break
        time.sleep(1)
    return seen


@contextmanager
def alone(folder: Path, document: object) -> Iterator[str]:
    """Run a Prometheus without a sandbox in this folder, with this configuration; return its address."""
    needs("prometheus")
    (folder / "prometheus.json").write_text(json.dumps(document))
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with serving(*programs.prometheus(folder, port), ready=f"{url}/-/ready"):
        yield url
