"""The list of plugin modules, and nothing else: what another one imports stands before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

PLUGINS = [
    "checks.process",
    "playbook.probe",
    "fixtures.settings",
    "fixtures.clients.prometheus",
    "fixtures.clients.http",
    "fixtures.clients.postgres",
    "fixtures.clients.redis",
    "fixtures.clients.docker",
    "fixtures.platform.host",
    "fixtures.platform.logs",
    "fixtures.queue.runs",
    "fixtures.api.access",
    "fixtures.database.sessions",
    "fixtures.queue.schedule",
    "fixtures.platform.backups",
    "fixtures.monitoring.scraping",
    "fixtures.monitoring.rules",
    "fixtures.monitoring.series",
    "fixtures.clients.alertmanager",
    "fixtures.monitoring.labels",
    "fixtures.monitoring.silences",
    "fixtures.monitoring.routing",
    "fixtures.monitoring.notification",
    "fixtures.monitoring.dashboards",
    "fixtures.target",
    "playbook.selection",
    "playbook.suppression",
    "playbook.judging",
    "reports.publishing",
    "reports.plugin",
]


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """Load them by name: for `pytest_plugins` pytest looks through all that is installed, once for each."""
    for name in PLUGINS:
        pluginmanager.import_plugin(name)
