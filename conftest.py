"""The list of plugin modules, and nothing else: what another one imports stands before it."""

pytest_plugins = [
    "checks.process",
    "fixtures.probing",
    "fixtures.settings",
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
    "fixtures.alertmanager",
    "fixtures.target",
    "checks.selection",
    "checks.muting",
    "checks.judging",
    "reports.plugin",
]
