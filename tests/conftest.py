"""A sandbox for the tests that need a running Ordinaut, and a way to have it judged."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from sandbox.breaking import heal_stack
from sandbox.embedded import EmbeddedStack
from sandbox.state import State
from tests.projects import Project

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent

for _name in (
    "GITHUB_ACTIONS",
    "GITHUB_STEP_SUMMARY",
):  # what tests run is not a step of CI
    os.environ.pop(_name, None)
os.environ["PYTEST_ADDOPTS"] = "-p no:valkey -p no:platformdirs"  # plugins of development tools: slow to import
IN_ONE_PROCESS = {
    "tests/compose": "a fault stops the engine for all",
    "tests/browser": "a browser is started once",
    "tests/monitoring": "a monitored sandbox uses the processors even while no test asks it",
}


SERVED_FOLDERS = (*IN_ONE_PROCESS, "tests/sandbox")
SERVED = {"judge", "running", "sandbox", "running_watched", "watched", "health_run", "run_pytest", "Project"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a sandbox or starts the suite in a process of its own: `make test-fast` leaves it out."""
    for item in items:
        uses = {*getattr(item, "fixturenames", ()), *vars(item.getparent(pytest.Module).obj)}  # type: ignore[union-attr]
        if uses & SERVED or item.nodeid.startswith(SERVED_FOLDERS):
            item.add_marker("server")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hand out test by test, but keep the tests of some folders together. (xdist's own groups fail with pytest 9.2.)"""
    from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

    class Scheduling(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return next((folder for folder in IN_ONE_PROCESS if nodeid.startswith(f"{folder}/")), nodeid)

    return Scheduling(config, log)


@dataclass(frozen=True)
class Judgement:
    """One health run: its exit status, its results.json, what it printed, and its folder."""

    status: int
    results: dict[str, Any] | None
    output: str
    folder: Path | None

    def alert(self, name: str) -> dict[str, Any]:
        """Return an alert of the results by its name."""
        assert self.results is not None, self.output
        found: dict[str, Any] = next(alert for alert in self.results["alerts"] if alert["name"] == name)
        return found

    def in_state(self, state: str) -> set[str]:
        """Return the names of the alerts in this state."""
        assert self.results is not None, self.output
        return {alert["name"] for alert in self.results["alerts"] if alert["state"] == state}

    @property
    def outcomes(self) -> dict[str, str]:
        """The states of all checks, by their ids."""
        assert self.results is not None, self.output
        return {check["id"]: check["outcome"] for alert in self.results["alerts"] for check in alert["checks"]}

    @property
    def junit_cases(self) -> dict[str, dict[str, str]]:
        """The properties of each test case in junit.xml, and how it ended."""
        assert self.folder is not None, self.output
        cases = ET.parse(self.folder / "junit.xml").iter("testcase")
        return {
            f"{case.get('classname')}::{case.get('name')}": {
                **{str(each.get("name")): str(each.get("value")) for each in case.iter("property")},
                "ended": next((child.tag for child in case if child.tag != "properties"), "passed"),
            }
            for case in cases
        }


def needs(program: str) -> str:
    """Return a program's path; where it is missing the test is skipped, but fails in CI, which installs all."""
    found = shutil.which(program)
    if found is None:
        if os.environ.get("CI"):
            pytest.fail(f"{program} is not installed")
        pytest.skip(f"needs {program}, which is not installed")
    return found


def runs_in(output: Path) -> set[Path]:
    """Return the folders of the runs that were written."""
    return {folder for folder in output.glob("20*") if folder.is_dir()}


# As somebody to whom permissions apply, although the tests run as root.
WITHOUT_ROOTS_RIGHTS = (
    "setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search"
)  # fmt: skip


def health_run(
    output: Path, *arguments: str, cwd: Path = ROOT, under: tuple[str, ...] = (), **environment: str
) -> Judgement:
    """Run the suite in a process of its own, and read what it wrote into this folder.

    pytest's cache lies beside it, so that no other test finds it.
    """
    before = runs_in(output)
    done = subprocess.run(
        [
            *under, sys.executable, "-m", "pytest", f"--output={output}", "-o", f"cache_dir={output.parent / 'cache'}",
            *arguments,
        ],
        cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    folder = next(iter(runs_in(output) - before), None)
    results = json.loads((folder / "results.json").read_text()) if folder else None
    return Judgement(done.returncode, results, done.stdout + done.stderr, folder)


class Judge(Protocol):
    """Runs the suite as a user does."""

    def __call__(
        self, *arguments: str, target: Path | None = ..., cwd: Path = ..., **environment: str
    ) -> Judgement: ...


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStack]:
    """One sandbox for all tests of a session; each leaves it healthy."""
    stack = EmbeddedStack.up(tmp_path_factory.mktemp("running") / "sandbox")
    yield stack
    stack.down()


@pytest.fixture
def sandbox(running: EmbeddedStack) -> Iterator[EmbeddedStack]:
    """A healthy sandbox; what a test leaves broken is healed."""
    yield running
    running.state = State.load(running.folder)
    if running.state.broken:
        heal_stack(running)


@pytest.fixture
def judge(tmp_path: Path, request: pytest.FixtureRequest) -> Judge:
    """Run the suite in a process of its own, against the sandbox unless another target is named."""
    output = tmp_path / "output"

    def run(*arguments: str, target: Path | None = None, cwd: Path = ROOT, **environment: str) -> Judgement:
        if target is None:
            stack: EmbeddedStack = request.getfixturevalue("sandbox")
            target = stack.folder / "target.toml"
        return health_run(output, f"--target={target}", *arguments, cwd=cwd, under=(), **environment)

    return run


@pytest.fixture
def empty_project(tmp_path: Path) -> Project:
    """A copy of this project that has no alerts yet."""
    return Project(tmp_path / "project")


@pytest.fixture
def project(empty_project: Project) -> Project:
    """The same, to be overridden by a folder of tests that all need the same alerts."""
    return empty_project
