"""A project whose two alerts are known: one fires, one is ok."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.projects import Project

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def sample(tmp_path: Path) -> Project:
    """Return a project in which ItFires fires for the cause why, and ItIsOk is ok."""
    project = Project(tmp_path / "project")
    failing = '@trigger()\ndef test_it():\n    assert False, "it is bad"\n'
    project.add_alert("it_fires", failing + '\n@diagnostic(cause="why", step=1)\ndef test_why():\n    assert False\n')
    project.add_alert("it_is_ok", "@trigger()\ndef test_it():\n    pass\n")
    return project
