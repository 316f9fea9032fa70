"""`make lint` fails where a dependency points upwards or runs in a circle: shown on copies with one line more."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LINTER = Path(sys.prefix) / "lint" / "bin" / "lint-imports"  # make installs it in an environment of its own


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the contracts are about."""
    assert LINTER.exists(), "make .venv/lint/.done installs the linter"
    folder = tmp_path_factory.mktemp("lint")
    shutil.copy(ROOT / "pyproject.toml", folder)
    for name in ("bench", "checks", "fixtures", "playbook", "reports", "sandbox", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("output", "__pycache__"))
    return folder


def lint(folder: Path) -> str:
    done = subprocess.run(
        [str(LINTER), "--no-logo", "--no-cache"], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode == 0) == ("0 broken" in done.stdout), done.stdout + done.stderr
    return done.stdout


def test_the_contracts_are_kept(project: Path) -> None:
    assert "0 broken" in lint(project)


TYPE_ONLY, LAZY = "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    {line}", "def late() -> None:\n    {line}"


@pytest.mark.parametrize(
    ("path", "line", "form", "contract"),
    [
        ("playbook/quantities.py", "from fixtures import settings", TYPE_ONLY, "Dependencies point downwards"),
        (
            "fixtures/queue/items.py",
            "from checks.sev2 import test_high_queue_depth",
            LAZY,
            "Dependencies point downwards",
        ),
        ("fixtures/clients/redis.py", "from fixtures.target import Target", TYPE_ONLY, "Facts build on the target"),
        (
            "reports/summary.py",
            "from fixtures import settings",
            LAZY,
            "Of the reports only the plugin and the commands",
        ),
        ("sandbox/polling.py", "from playbook import quantities", "{line}", "The sandbox is a user like any other"),
        ("playbook/probe.py", "import httpx", LAZY, "The engine knows no client library"),
        ("playbook/quantities.py", "from playbook import judging", TYPE_ONLY, "No circles"),
    ],
)
def test_a_dependency_that_points_upwards_or_runs_in_a_circle_is_found(
    project: Path, path: str, line: str, form: str, contract: str
) -> None:
    text = (project / path).read_text()
    (project / path).write_text(f"{text}\n\n{form.format(line=line)}\n")
    try:
        broken = [row for row in lint(project).splitlines() if row.endswith(" BROKEN")]
    finally:
        (project / path).write_text(text)
    assert any(row.startswith(contract) for row in broken), broken
