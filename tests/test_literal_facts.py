from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from playbook.alert import check_of

if TYPE_CHECKING:
    from tests.literal_facts import Case

TESTS = Path(__file__).parent
CHECKS = [
    f"{path.parent.name}.{path.stem}.{name}"
    for path in sorted((TESTS.parent / "checks").glob("*/test_*.py"))
    for name, thing in vars(importlib.import_module(f"checks.{path.parent.name}.{path.stem}")).items()
    if check_of(thing)
]
CASES: list[Case] = [
    case
    for path in sorted(TESTS.glob("test_literal_facts_*.py"))
    for case in importlib.import_module(f"tests.{path.stem}").CASES
]


@pytest.mark.parametrize("check", CHECKS)
def test_every_check_has_a_healthy_and_a_faulty_case(check: str) -> None:
    proved = {case.outcome for case in CASES if f"{case.check.__module__}.{case.check.__name__}" == f"checks.{check}"}
    assert {"healthy", "faulty"} <= proved
