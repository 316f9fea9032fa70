"""The names hold together: module, alert, folder, runbook, causes, faults, and the playbook's steps."""

from __future__ import annotations

import importlib
import re
import tomllib
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from playbook.alert import Alert, Check, alert_of, check_of
from reports.commands.readme import README, with_table
from reports.runbooks import of_alert
from sandbox.compose.faults import OWN as OF_CONTAINERS
from sandbox.faults import FAULTS, OF_MONITORING

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).parent.parent.parent
MODULES = {path.stem: path for path in sorted((ROOT / "checks").glob("*/test_*.py"))}
STEPS: dict[str, list[str]] = tomllib.loads((ROOT / "tests" / "playbook_steps.toml").read_text())
OF_THE_SANDBOX = FAULTS | OF_MONITORING
BEFORE_CAUSES = ["Meaning", "Impact", "Diagnosis"]
AFTER_CAUSES = ["Verify", "Escalation"]
LABELS = ("**safe**", "**disruptive**", "**destructive**")


def _module(stem: str) -> ModuleType:
    return importlib.import_module(f"checks.{MODULES[stem].parent.name}.{stem}")


def _alert(stem: str) -> Alert:
    alert = alert_of(_module(stem))
    assert alert is not None, f"{stem} has no ALERT"
    return alert


def _checks(stem: str) -> dict[str, Check]:
    functions = {name: thing for name, thing in vars(_module(stem)).items() if name.startswith("test_")}
    marked = {name: check_of(function) for name, function in functions.items()}
    unmarked = [name for name, check in marked.items() if check is None]
    assert not unmarked, f"neither trigger nor diagnostic: {unmarked}"
    return {name: check for name, check in marked.items() if check}


def _causes(stem: str) -> list[str]:
    return list(dict.fromkeys(check.cause for check in _checks(stem).values() if check.cause))


@pytest.mark.parametrize("stem", MODULES)
def test_file_and_folder_are_the_alerts_name_and_severity(stem: str) -> None:
    alert = _alert(stem)
    assert stem.removeprefix("test_").replace("_", "") == alert.name.lower()
    if MODULES[stem].parent.name.startswith("sev"):
        assert MODULES[stem].parent.name == f"sev{alert.severity}"


@pytest.mark.parametrize("stem", MODULES)
def test_an_alert_has_one_trigger_and_names_its_limits(stem: str) -> None:
    triggers = [check for check in _checks(stem).values() if check.role == "trigger"]
    assert len(triggers) == 1
    assert triggers[0].against is None or triggers[0].against in _alert(stem).limits


@pytest.mark.parametrize("stem", MODULES)
def test_every_check_states_its_claim(stem: str) -> None:
    module = _module(stem)
    for name in _checks(stem):
        assert (getattr(module, name).__doc__ or "").strip().endswith("."), name


@pytest.mark.parametrize("stem", MODULES)
def test_a_check_module_holds_no_literal_limit_and_catches_nothing(stem: str) -> None:
    body = MODULES[stem].read_text().split("\n)\n", 1)[1]  # after the alert's metadata
    for line in body.splitlines():
        if not line.startswith(("@", "def ", "    def ")):
            assert not re.search(r"[<>=]=? *\d", line), line
    assert not re.search(r"\b(try|except|sleep|import psycopg|import httpx)\b", body)


@pytest.mark.parametrize("stem", MODULES)
def test_the_runbook_has_a_section_for_every_cause_and_no_other(stem: str) -> None:
    found = of_alert(_alert(stem).name)
    anchors = [section.anchor for section in found]
    assert [section.title for section in found[:3]] == BEFORE_CAUSES
    assert [section.title for section in found[-2:]] == AFTER_CAUSES
    assert anchors[3:-2] == _causes(stem)


@pytest.mark.parametrize("stem", MODULES)
def test_what_a_diagnostic_fills_in_is_open_in_the_section_of_its_cause(stem: str) -> None:
    sections = {section.anchor: section.text for section in of_alert(_alert(stem).name)}
    for name, check in _checks(stem).items():
        for word, path in check.fills.items():
            assert f"<{word}>" in sections[str(check.cause)]
            assert path.partition(".")[0] in signature(getattr(_module(stem), name)).parameters


@pytest.mark.parametrize("stem", MODULES)
def test_every_step_of_a_cause_says_how_safe_it_is(stem: str) -> None:
    for section in of_alert(_alert(stem).name)[3:-2]:
        steps = re.findall(r"^\d+\. +(.*)", section.text, flags=re.MULTILINE)
        assert steps, section.anchor
        for step in steps:
            assert step.startswith(LABELS), f"{section.anchor}: {step}"


@pytest.mark.parametrize("stem", MODULES)
def test_the_runbook_names_every_check(stem: str) -> None:
    diagnosis = of_alert(_alert(stem).name)[2].text
    for name in _checks(stem):
        assert name in diagnosis, name


@pytest.mark.parametrize("stem", MODULES)
def test_a_fault_proves_the_alert(stem: str) -> None:
    fired = {fault.expect.alert for fault in OF_THE_SANDBOX.values() if fault.expect.state == "firing"}
    assert _alert(stem).name in fired


@pytest.mark.parametrize(
    "fault", [*OF_THE_SANDBOX.values(), *OF_CONTAINERS.values()], ids=[*OF_THE_SANDBOX, *OF_CONTAINERS]
)
def test_a_fault_names_an_alert_and_cause_that_exist(fault: object) -> None:
    expect = fault.expect  # type: ignore[attr-defined]
    stems = {_alert(stem).name: stem for stem in MODULES}
    assert expect.alert is None or expect.alert in stems
    assert set(expect.may_follow) <= set(stems)
    assert expect.cause is None or expect.cause in _causes(stems[expect.alert])


@pytest.mark.parametrize("stem", [stem for stem in MODULES if MODULES[stem].parent.name.startswith("sev")])
def test_every_step_of_the_playbook_is_done_by_a_check(stem: str) -> None:
    titles = STEPS[_alert(stem).name]
    done = {step for check in _checks(stem).values() for step in check.steps}
    assert done == set(range(1, len(titles) + 1))


def test_the_readme_has_the_alerts_as_they_are() -> None:
    text = README.read_text()
    assert with_table(text) == text, "run `make readme`"


def test_what_explains_an_alert_exists() -> None:
    names = {_alert(stem).name for stem in MODULES}
    for stem in MODULES:
        for check in _checks(stem).values():
            assert check.explained_by is None or check.explained_by in names
