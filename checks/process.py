"""The process of a health run lives for a second: its garbage is not worth looking for."""

from __future__ import annotations

import gc

import pytest

gc.disable()  # while the plugins are imported, too


def pytest_configure(config: pytest.Config) -> None:
    """Go on as usual where this is no health run."""
    from checks.selection import is_health_run

    if not is_health_run(config):
        gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_unconfigure() -> None:
    """Spare pytest, and Python as it ends, a last look through all that was imported."""
    if not gc.isenabled():
        gc.freeze()
