"""The names hold together: check module, runbook, faults, the playbook's steps, README. See contract.py."""

from __future__ import annotations

import sys
import tomllib
from typing import TYPE_CHECKING

import pytest

from playbook.catalogue import Catalogue
from reports.commands.readme import README, with_table
from sandbox.compose import faults as compose
from sandbox.faults import FAULTS, OF_MONITORING
from tests.checks import contract
from tests.projects import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

    from playbook.catalogue import CheckModule
    from sandbox.fault import Fault

CATALOGUE = Catalogue([ROOT / "checks"])
MODULES = {module.alert.name: module for module in CATALOGUE.modules}
CAUSES = {name: module.causes for name, module in MODULES.items()}
PLAYBOOK: dict[str, list[str]] = tomllib.loads((ROOT / "tests" / "playbook_steps.toml").read_text())
EMBEDDED = FAULTS | OF_MONITORING
OF_ALL_FORMS = [*EMBEDDED.values(), *compose.OWN.values()]

every_alert = pytest.mark.parametrize("module", MODULES.values(), ids=MODULES)


def require_none(problems: object) -> None:
    """Fail with the sentences, one per line, and with nothing else."""
    sentences = list(problems)  # type: ignore[call-overload]
    if sentences:
        pytest.fail("\n".join(sentences), pytrace=False)


@pytest.mark.parametrize("path", CATALOGUE.paths.values(), ids=lambda path: path.stem)
def test_every_check_module_has_an_alert(path: object) -> None:
    if path not in {module.path for module in MODULES.values()}:
        pytest.fail(f"{path} has no alert: write ALERT = Alert(name=…, severity=…, …)", pytrace=False)


@every_alert
def test_file_and_folder_are_named_like_the_alert(module: CheckModule) -> None:
    require_none(contract.name_problems(module))


@every_alert
def test_the_checks_are_whole(module: CheckModule) -> None:
    require_none(contract.check_problems(module, MODULES))


@every_alert
def test_a_check_only_judges(module: CheckModule) -> None:
    require_none(contract.body_problems(module))


@every_alert
def test_what_a_check_names_exists(module: CheckModule) -> None:
    def function_of(name: str) -> Callable[..., None]:
        imported = sys.modules[".".join(module.path.relative_to(ROOT).with_suffix("").parts)]
        function: Callable[..., None] = vars(imported)[name]
        return function

    require_none(contract.string_problems(module, function_of))


@every_alert
def test_the_runbook_is_whole(module: CheckModule) -> None:
    require_none(contract.runbook_problems(module, ROOT / "runbooks" / f"{module.alert.name}.md"))


def test_every_runbook_belongs_to_an_alert() -> None:
    require_none(contract.orphan_problems((ROOT / "runbooks").glob("*.md"), MODULES))


@every_alert
def test_faults_of_the_sandbox_make_the_alert_fire(module: CheckModule) -> None:
    require_none(contract.fault_problems(module, EMBEDDED, compose.FAULTS))


@pytest.mark.parametrize("fault", OF_ALL_FORMS, ids=lambda fault: fault.name)
def test_a_fault_expects_what_exists(fault: Fault) -> None:
    require_none(contract.expectation_problems(fault, CAUSES))


def test_a_consequence_names_what_exists() -> None:
    faults = [fault.name for fault in OF_ALL_FORMS]
    require_none(
        problem
        for consequence in compose.CONSEQUENCES
        for problem in contract.consequence_problems(consequence, MODULES, faults)
    )


@every_alert
def test_the_steps_of_the_playbook_are_covered(module: CheckModule) -> None:
    require_none(contract.step_problems(module, PLAYBOOK))


def test_every_alert_of_the_playbook_is_there() -> None:
    require_none(f"{name}, an alert of the playbook, has no check module" for name in PLAYBOOK if name not in MODULES)


def test_the_table_of_the_readme_is_up_to_date() -> None:
    text = README.read_text()
    if with_table(text, CATALOGUE) != text:
        pytest.fail("README.md: the table of alerts is out of date: run `make readme`", pytrace=False)
