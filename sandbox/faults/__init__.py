"""The faults, one module for each topic. Every Fault in a module of this package is found."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from sandbox.fault import Fault


def find_in(package: str) -> dict[str, Fault]:
    """Return the faults in the modules of a package, by name; RuntimeError where two have the same name."""
    found: dict[str, Fault] = {}
    for module in pkgutil.iter_modules(import_module(package).__path__):
        for value in vars(import_module(f"{package}.{module.name}")).values():
            if not isinstance(value, Fault):
                continue
            if found.setdefault(value.name, value) is not value:
                raise RuntimeError(f"two faults have the name {value.name}")
    return found


FAULTS = find_in(__name__)
OF_MONITORING = find_in(f"{__name__}.monitoring")  # only on a sandbox with monitoring
