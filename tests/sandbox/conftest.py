"""A sandbox for the tests of the sandbox itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.embedded import EmbeddedStack

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStack]:
    """One sandbox for all tests of a session; each leaves it healthy."""
    stack = EmbeddedStack.up(tmp_path_factory.mktemp("running") / "sandbox")
    yield stack
    stack.down()
