"""A sandbox with monitoring, for the tests that need one."""

from __future__ import annotations

import json
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import pytest

from fixtures.clients.docker import Engine
from fixtures.clients.masking import Masker
from fixtures.settings import NO_ENGINE, Settings
from fixtures.target import Target
from playbook.evidence import Cost
from sandbox.breaking import heal_stack
from sandbox.embedded import EmbeddedStack
from sandbox.http import CLIENT
from sandbox.monitoring import programs
from sandbox.monitoring.programs import PACKAGES
from sandbox.polling import NotYet, require, until
from sandbox.processes import free_port
from tests.conftest import needs

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


def told(judge: Judge, target: Path, *arguments: str) -> Judgement:
    """Ask again where it is told to: Prometheus has just loaded its configuration."""
    for _ in range(TIMES):
        seen = judge(*arguments, target=target)
        if ASK_AGAIN not in seen.output:
            break
        time.sleep(1)
    return seen


@contextmanager
def alone(folder: Path, document: object) -> Iterator[str]:
    """Run a Prometheus in this folder that no sandbox belongs to, configured so; give its address."""
    needs("prometheus")
    (folder / "prometheus.yml").write_text(json.dumps(document))
    port = free_port()
    process = subprocess.Popen(programs.prometheus(folder, port), stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        until(lambda: _require_ready(url), 20)
        yield url
    finally:
        process.kill()
        process.wait()


def _require_ready(url: str) -> None:
    try:
        require(CLIENT.get(f"{url}/-/ready", timeout=2).is_success, f"{url} is not ready")
    except httpx.TransportError as error:
        raise NotYet(str(error)) from error


def target_of(settings: Settings) -> Target:
    """Give the target of these settings, for a probe that is called by hand."""
    cost, mask = Cost(), Masker(set())
    return Target(settings, Engine(NO_ENGINE, None, settings.deadlines, mask, cost), cost, mask)
