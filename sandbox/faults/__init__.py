"""The faults, one module a theme; a new one is found by being there."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from sandbox.fault import Fault


def _find() -> dict[str, Fault]:
    found: dict[str, Fault] = {}
    for module in pkgutil.iter_modules(__path__):
        for value in vars(import_module(f"{__name__}.{module.name}")).values():
            if not isinstance(value, Fault):
                continue
            if found.setdefault(value.name, value) is not value:
                raise RuntimeError(f"two faults are called {value.name}")
    return found


FAULTS = _find()
