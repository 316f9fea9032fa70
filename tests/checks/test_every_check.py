from __future__ import annotations

import importlib
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from playbook.catalogue import Catalogue

if TYPE_CHECKING:
    from playbook.catalogue import CheckModule
    from tests.cases import Case

ROOT = Path(__file__).parent.parent.parent
MODULES = {module.alert.name: module for module in Catalogue([ROOT / "checks"]).modules}
OUTCOMES = ("healthy", "faulty", "unobserved")


def _case_file(module: CheckModule) -> Path:
    return ROOT / "tests" / module.path.relative_to(ROOT)


def _name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def _cases(module: CheckModule) -> list[Case]:
    found: list[Case] = importlib.import_module(_name(_case_file(module))).CASES
    return found


@pytest.mark.parametrize("alert", MODULES)
def test_every_alert_has_a_case_file(alert: str) -> None:
    file = _case_file(MODULES[alert])
    assert file.exists(), f"{alert} has no literal cases: write {file.relative_to(ROOT)}"


@pytest.mark.parametrize("alert", MODULES)
def test_every_check_has_a_case_of_each_outcome(alert: str) -> None:
    module = MODULES[alert]
    if not _case_file(module).exists():
        pytest.skip("it has no case file: the test above fails")
    proven: dict[str, set[str]] = defaultdict(set)
    for case in _cases(module):
        if case.check.__module__ == _name(module.path):
            proven[case.check.__name__].add(case.outcome)
    missing = [f"{check} has no {one} case" for check in module.checks for one in OUTCOMES if one not in proven[check]]
    assert not missing, f"{_case_file(module).relative_to(ROOT)}: {', '.join(missing)}"
