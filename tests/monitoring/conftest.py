"""A sandbox with monitoring, for the tests that need one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.breaking import heal_stack
from sandbox.embedded import EmbeddedStack
from sandbox.monitoring.programs import PACKAGES
from tests.conftest import needs

if TYPE_CHECKING:
    from collections.abc import Iterator


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
