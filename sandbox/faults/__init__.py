"""The faults, one module for each topic. Every Fault and Consequence in a module of this package is found."""

from __future__ import annotations

import pkgutil
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, TypeVar

from sandbox.fault import Consequence, Fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Kind = TypeVar("Kind", Fault, Consequence)


def find_in(package: str) -> dict[str, Fault]:
    """Return the faults in the modules of a package, by name; RuntimeError where two have the same name."""
    found: dict[str, Fault] = {}
    for fault in _values(package, Fault):
        if found.setdefault(fault.name, fault) is not fault:
            raise RuntimeError(f"two faults have the name {fault.name}")
    return found


def consequences_in(*packages: str) -> list[Consequence]:
    """Return the consequences in the modules of some packages."""
    return [consequence for package in packages for consequence in _values(package, Consequence)]


def with_consequences(faults: Mapping[str, Fault], consequences: Sequence[Consequence]) -> dict[str, Fault]:
    """Return the faults, each expecting the alerts that the consequences add to it."""

    def with_followers(fault: Fault) -> Fault:
        added = tuple(consequence.alert for consequence in consequences if fault.name in consequence.of)
        followers = fault.expect.may_follow + added
        return replace(fault, expect=replace(fault.expect, may_follow=followers)) if added else fault

    return {name: with_followers(fault) for name, fault in faults.items()}


def _values(package: str, kind: type[Kind]) -> Iterator[Kind]:
    for module in pkgutil.iter_modules(import_module(package).__path__):
        for value in vars(import_module(f"{package}.{module.name}")).values():
            if isinstance(value, kind):
                yield value


CONSEQUENCES = consequences_in(__name__, f"{__name__}.monitoring")
FAULTS = with_consequences(find_in(__name__), CONSEQUENCES)
OF_MONITORING = with_consequences(find_in(f"{__name__}.monitoring"), CONSEQUENCES)  # only on a sandbox with monitoring
