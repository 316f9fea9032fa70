"""The root conftest: finds the plugin modules, and connects the engine to what it knows nothing about."""

from __future__ import annotations

import gc
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

ROOT = Path(__file__).parent
FIXTURE = type(pytest.fixture(lambda: None))
gc.disable()  # while modules are imported; with the hooks below it saves 15 % of a severity-0 run's CPU time


def plugin_modules() -> Iterator[ModuleType]:
    """Return the modules with hooks, options or fixtures: of the engine, the facts and the report."""
    for pattern in ("playbook/[!_]*.py", "fixtures/[!_]*.py", "fixtures/*/[!_]*.py", "reports/plugin.py"):
        for path in sorted(ROOT.glob(pattern)):
            if path.parent.name == "clients":  # I/O only: imported by the probes that need it
                continue
            module = import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
            if any(name.startswith("pytest_") or isinstance(value, FIXTURE) for name, value in vars(module).items()):
                yield module


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """Register them: for `pytest_plugins` pytest would look through all that is installed, once for each."""
    for module in plugin_modules():
        pluginmanager.register(module, module.__name__)


def pytest_configure() -> None:
    """Look for garbage from now on, but not among all that was imported."""
    gc.freeze()
    gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_unconfigure() -> None:
    """Spare pytest and Python a last search for garbage among all that a run has made."""
    gc.freeze()


def pytest_sessionstart(session: pytest.Session) -> None:
    """Connect the engine to the probes for silences and for Prometheus' own alerts."""
    from fixtures.monitoring.rules import active_alerts
    from fixtures.monitoring.silences import silences
    from playbook.suppression import WATCHERS, Watchers

    session.stash[WATCHERS] = Watchers(silences.probe, active_alerts.probe)
