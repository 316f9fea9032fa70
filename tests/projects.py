"""Targets that need no sandbox, and copies of the project with check modules of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
SETTINGS = ("API_URL", "DATABASE_URL", "REDIS_URL", "PROMETHEUS_URL", "DOCKER_HOST", "COMPOSE_PROJECT_NAME")
SECRET = "s3cret-of-nowhere"

# Port 1 of this machine: every connection is refused at once.
NOWHERE = f"""
name = "nowhere"
api_url = "http://127.0.0.1:1"
database_url = "postgresql+psycopg://ordinaut:{SECRET}@127.0.0.1:1/orchestrator"
redis_url = "redis://127.0.0.1:1/0"
docker = "none"
"""

ALERT = """
import pytest
from playbook.alert import Alert, diagnostic, trigger
from playbook.limits import minutes

ALERT = Alert(name="{name}", severity={severity}, trigger="it is bad", impact="harm", respond_within=minutes(5),
              escalate_after=minutes(15))
"""

WELL = """
@trigger()
def test_all_is_well():
    "All is well."

@diagnostic(cause="a-cause", step=1)
def test_no_cause_is_found():
    "There is no cause."
"""
BAD = """
@trigger()
def test_all_is_well():
    "All is well."
    assert False, "it is bad"

@diagnostic(cause="a-cause", step=1)
def test_no_cause_is_found():
    "There is no cause."
    assert False, "here is why"
"""


def environment(**more: str) -> dict[str, str]:
    """Return the environment without what could name a target."""
    return {name: value for name, value in os.environ.items() if name not in SETTINGS} | more


def run_pytest(*arguments: object, cwd: Path = ROOT, **more: str) -> subprocess.CompletedProcess[str]:
    """Run pytest as a user does."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *map(str, arguments)],
        cwd=cwd, env=environment(**more), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def nowhere(folder: Path) -> Path:
    """Write the settings of a target where nothing listens; return their path."""
    path = folder / "nowhere.toml"
    path.write_text(NOWHERE)
    return path


class Project:
    """A copy of this project that has no alerts yet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        for name in ("checks", "fixtures", "playbook", "reports", "runbooks"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("output", "__pycache__", "sev?"))
        shutil.rmtree(folder / "checks" / "monitoring", ignore_errors=True)
        for name in ("conftest.py", "pyproject.toml"):
            shutil.copy(ROOT / name, folder)

    def add_alert(self, file: str, body: str, severity: int = 0) -> str:
        """Write the module of an alert that is named like its file; return its path."""
        name = "".join(word.capitalize() for word in file.split("_"))
        return self.add_module(file, ALERT.format(name=name, severity=severity) + body, severity)

    def add_module(self, file: str, text: str, severity: int = 0) -> str:
        """Write a check module as it is; return its path."""
        path = self.folder / "checks" / f"sev{severity}" / f"test_{file}.py"
        path.parent.mkdir(exist_ok=True)
        (path.parent / "__init__.py").touch()
        path.write_text(text)
        return str(path.relative_to(self.folder))
