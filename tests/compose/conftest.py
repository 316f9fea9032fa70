"""A sandbox in containers for the tests that need a Docker engine; `running` and `sandbox` as for the embedded form."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from sandbox.breaking import heal_stack
from sandbox.compose import engine
from sandbox.compose.stack import ComposeStack, remove_project
from sandbox.state import State

if TYPE_CHECKING:
    from collections.abc import Iterator


PROJECTS = STACK, LIFE, FACTS, SECOND = (
    "ordinaut-test", "ordinaut-test-life", "ordinaut-test-facts", "ordinaut-test-second"
)  # fmt: skip


@pytest.fixture(scope="session")
def engine_answers() -> None:
    """Skip where there is no Docker engine, but in CI, which starts one: `.ci/docker start`. It has nothing of ours."""
    if not engine.answers(5):
        assert "CI" not in os.environ, "CI starts a Docker engine"
        pytest.skip("no Docker engine answers: `.ci/docker start` starts one, as root")
    for project in PROJECTS:  # of tests that were killed: the engine starts it again, and it looks like an Ordinaut
        remove_project(engine.connect(), project)


@pytest.fixture(scope="session")
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposeStack]:
    """One sandbox for all tests of a session; each leaves it healthy."""
    request.getfixturevalue("engine_answers")
    folder = tmp_path_factory.mktemp("compose") / "sandbox"
    stack = ComposeStack.up(folder, STACK)
    yield stack
    stack.state = State.load(folder)
    stack.down()


@pytest.fixture
def sandbox(running: ComposeStack) -> Iterator[ComposeStack]:
    """A healthy sandbox; what a test leaves broken is healed."""
    yield running
    running.state = State.load(running.folder)
    if running.state.broken:
        heal_stack(running)
