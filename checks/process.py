"""The process of a health run: it lives for a second, and probes run in it on threads of their own."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest
from _pytest import runner

if TYPE_CHECKING:
    from collections.abc import Callable

TELL_THE_TEST = "_update_current_test_var"  # private, and the only way
gc.disable()  # while the plugins are imported, too: the garbage of a second is not worth looking for


def pytest_configure(config: pytest.Config) -> None:
    """Go on as usual where this is no health run.

    In one, pytest must not write the name of each check into the environment: a library that copies the environment
    on the thread of a probe, or starts a program with it, fails where it changes beneath it.
    """
    from playbook.selection import is_health_run

    if not is_health_run(config):
        gc.enable()
        return
    usual: Callable[..., None] = getattr(runner, TELL_THE_TEST)
    setattr(runner, TELL_THE_TEST, lambda *_: None)
    config.add_cleanup(lambda: setattr(runner, TELL_THE_TEST, usual))


@pytest.hookimpl(tryfirst=True)
def pytest_unconfigure() -> None:
    """Spare pytest, and Python as it ends, a last look through all that was imported."""
    if not gc.isenabled():
        gc.freeze()
