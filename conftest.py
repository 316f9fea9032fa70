"""The root conftest: finds the plugin modules, and connects the engine to what it knows nothing about."""

from __future__ import annotations

import gc
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent


def plugin_modules() -> Iterator[str]:
    """Return the modules with hooks, options or fixtures: the engine's, the facts', the report's."""
    for pattern in ("playbook/[!_]*.py", "fixtures/[!_]*.py", "fixtures/*/[!_]*.py"):
        for path in sorted(ROOT.glob(pattern)):
            if path.parent.name != "clients":  # I/O only: imported by the probes that need it
                yield ".".join(path.relative_to(ROOT).with_suffix("").parts)
    yield "reports.plugin"


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """Register them: for `pytest_plugins` pytest would look through all that is installed, once for each."""
    for name in plugin_modules():
        pluginmanager.register(import_module(name), name)


@pytest.hookimpl(tryfirst=True)
def pytest_unconfigure() -> None:
    """Spare pytest and Python a last search for garbage among all imports: a tenth of a severity-0 run's CPU time."""
    gc.freeze()


def pytest_sessionstart(session: pytest.Session) -> None:
    """Connect the engine to the probes for silences and for Prometheus' own alerts."""
    from fixtures.monitoring.pending import active_alerts
    from fixtures.monitoring.silences import silences
    from playbook.suppression import WATCHERS, Watchers

    session.stash[WATCHERS] = Watchers(silences.probe, active_alerts.probe)
