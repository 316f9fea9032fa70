"""The faults, one module a theme; a new one is found by being there."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from sandbox.fault import Fault


def find_in(package: str) -> dict[str, Fault]:
    """Return the faults of a package's modules by name."""
    found: dict[str, Fault] = {}
    for module in pkgutil.iter_modules(import_module(package).__path__):
        for value in vars(import_module(f"{package}.{module.name}")).values():
            if not isinstance(value, Fault):
                continue
            if found.setdefault(value.name, value) is not value:
                raise RuntimeError(f"two faults are called {value.name}")
    return found


FAULTS = find_in(__name__)
OF_MONITORING = find_in(f"{__name__}.monitoring")  # on a sandbox with monitoring alone
