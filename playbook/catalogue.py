"""The catalogue: every alert there is, found by its file, whether or not a run selects it."""

from __future__ import annotations

import sys
from functools import cached_property
from importlib import util
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from msgspec import Struct

from playbook.alert import Alert, Check, Severity, alert_of, check_of

if TYPE_CHECKING:
    from types import ModuleType


RUNBOOKS = Path(__file__).parent.parent / "runbooks"  # one page per alert, named like it


SEVERITIES: dict[str, Severity] = {"sev0": 0, "sev1": 1, "sev2": 2, "sev3": 3}  # by folder


class CheckModule(Struct, frozen=True):
    """An alert, its checks by name, in the module's order, and its file."""

    path: Path
    alert: Alert
    checks: dict[str, Check]

    @property
    def causes(self) -> list[str]:
        """The causes that its diagnostics look for, in order, each once."""
        return list(dict.fromkeys(check.cause for check in self.checks.values() if check.cause))


class Catalogue:
    """The check modules of some folders: `<folder>/<group>/test_<alert_name>.py`. Nothing is imported until asked."""

    def __init__(self, folders: list[Path]) -> None:
        self.folders = folders

    @cached_property
    def paths(self) -> dict[str, Path]:
        """The files of all alerts, by the alert's name in small letters, as the file's name says it."""
        found = (path for folder in self.folders for path in sorted(folder.glob("*/test_*.py")))
        return {_plain(path): path for path in found}

    @cached_property
    def modules(self) -> list[CheckModule]:
        """All check modules, most severe first; a module without an alert is left out."""
        found = []
        for path in self.paths.values():
            module = _load(path)
            if (alert := alert_of(module)) is not None:
                checks = {name: check for name, thing in vars(module).items() if (check := check_of(thing))}
                found.append(CheckModule(path, alert, checks))
        return sorted(found, key=lambda module: (module.alert.severity, module.alert.name))

    @property
    def alerts(self) -> list[Alert]:
        """All alerts, most severe first."""
        return [module.alert for module in self.modules]

    def why_unknown(self, name: str) -> str:
        """Return why no alert has this name, without importing a module; empty where one seems to have it."""
        known = self._names.get(name.lower())
        hint = f" (one is {known})" if known else ""
        return "" if known == name else f"there is no alert of that name{hint}"

    @cached_property
    def _names(self) -> dict[str, str]:
        """The names of alerts, by their runbooks, in small letters each."""
        return {page.stem.lower(): page.stem for page in RUNBOOKS.glob("*.md") if page.stem.lower() in self.paths}

    def name_and_severity(self, path: Path) -> tuple[str, Severity]:
        """Return an alert's name, by its runbook, and its severity, by its folder (else 1), without importing it."""
        pascal = "".join(word.capitalize() for word in path.stem.removeprefix("test_").split("_"))
        return self._names.get(pascal.lower(), pascal), SEVERITIES.get(path.parent.name, 1)

    def holds(self, path: Path) -> bool:
        """Return whether a path is one of the folders, lies within one, or contains one."""
        return any(path == folder or path in folder.parents or folder in path.parents for folder in self.folders)

    def is_whole(self, path: Path) -> bool:
        """Return whether a path stands for all check modules: a folder of them, or one that contains it."""
        return any(path == folder or path in folder.parents for folder in self.folders)


def _plain(path: Path) -> str:
    return path.stem.removeprefix("test_").replace("_", "")


def _load(path: Path) -> ModuleType:
    """Import a module by its path, under the name that pytest gives it: what either has imported serves both."""
    root = path.parent
    while (root / "__init__.py").exists():
        root = root.parent
    name = ".".join(path.relative_to(root).with_suffix("").parts)
    if (known := sys.modules.get(name)) is not None:
        return known
    spec = util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


_KEY = pytest.StashKey[Catalogue]()


def catalogue_of(config: pytest.Config) -> Catalogue:
    """Return the catalogue of the project's own alerts: those below pytest's `testpaths`."""
    if _KEY not in config.stash:
        config.stash[_KEY] = Catalogue([config.rootpath / folder for folder in config.getini("testpaths")])
    return config.stash[_KEY]
