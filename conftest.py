"""The list of plugin modules, and nothing else: what another one imports stands before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

PLUGINS = [
    "checks.process",
    "fixtures.probing",
    "fixtures.settings",
    "fixtures.prometheus",
    "fixtures.api",
    "fixtures.postgres",
    "fixtures.redis",
    "fixtures.docker",
    "fixtures.host",
    "fixtures.logs",
    "fixtures.work",
    "fixtures.access",
    "fixtures.activity",
    "fixtures.schedule",
    "fixtures.backups",
    "fixtures.scraping",
    "fixtures.alert_rules",
    "fixtures.rule_series",
    "fixtures.alertmanager",
    "fixtures.alert_labels",
    "fixtures.silencing",
    "fixtures.routing",
    "fixtures.notification",
    "fixtures.grafana",
    "fixtures.target",
    "checks.selection",
    "checks.muting",
    "checks.judging",
    "reports.publishing",
    "reports.plugin",
]


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """Load them by name: for `pytest_plugins` pytest looks through all that is installed, once for each."""
    for name in PLUGINS:
        pluginmanager.import_plugin(name)
