from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.projects import BAD, WELL, Project, nowhere

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Judge, Judgement


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return nowhere(tmp_path)


def alerts(judgement: Judgement) -> list[dict[str, Any]]:
    assert judgement.results is not None, judgement.output
    found: list[dict[str, Any]] = judgement.results["alerts"]
    return found


def test_a_module_that_does_not_import_is_unknown_and_stops_no_other(
    judge: Judge, project: Project, target: Path
) -> None:
    project.add_alert("fine_alert", WELL)
    path = project.add_module("no_active_workers", "import nothing_of_that_name\n")
    (project.folder / "runbooks" / "NoActiveWorkers.md").write_text("# NoActiveWorkers\n")
    seen = judge(target=target, cwd=project.folder)
    assert seen.status == 6
    assert seen.in_state("ok") == {"FineAlert"}
    broken = seen.alert("NoActiveWorkers")
    assert broken["state"] == "unknown"
    assert broken["message"].startswith(f"the module {path} does not import: ")
    assert "nothing_of_that_name" in broken["message"]
    assert broken["runbook"] == "runbooks/NoActiveWorkers.md"
    assert path in seen.output


def test_a_module_that_does_not_import_hides_no_alert_that_fires(judge: Judge, project: Project, target: Path) -> None:
    project.add_alert("bad_alert", BAD)
    project.add_module("broken_alert", "1 / 0\n", severity=3)
    seen = judge(target=target, cwd=project.folder)
    assert seen.status == 1
    assert seen.in_state("firing") == {"BadAlert"}


@pytest.mark.parametrize("role", ["trigger", "diagnostic"])
def test_a_check_that_breaks_is_unknown(judge: Judge, project: Project, target: Path, role: str) -> None:
    name = {"trigger": "test_all_is_well", "diagnostic": "test_no_cause_is_found"}[role]
    path = project.add_alert("broken_alert", WELL.replace(f"def {name}():", f"def {name}(limits):\n    limits + 1\n"))
    seen = judge(target=target, cwd=project.folder)
    assert seen.status == 6
    assert seen.outcomes[f"{path}::{name}"] == "unknown"
    message = next(check["message"] for check in alerts(seen)[0]["checks"] if check["id"].endswith(name))
    assert message.startswith("the check itself failed: TypeError")
    assert f"{path}:" in message
    assert seen.junit_cases[f"checks.sev0.test_broken_alert::{name}"]["ended"] == "error"


def test_a_diagnostic_that_fails_while_nothing_fires_is_noted(judge: Judge, project: Project, target: Path) -> None:
    path = project.add_alert("noted_alert", WELL.replace('"There is no cause."', '"No."\n    assert False, "look"'))
    seen = judge(target=target, cwd=project.folder)
    assert seen.status == 0
    assert seen.outcomes[f"{path}::test_no_cause_is_found"] == "noted"
    assert "a-cause: look" in seen.output


def test_a_run_that_skipped_everything_is_not_ok(judge: Judge, project: Project, target: Path) -> None:
    project.add_alert("absent_alert", WELL.replace('"All is well."', '"All."\n    pytest.skip("no such component")'))
    seen = judge("-m", "trigger", target=target, cwd=project.folder)
    assert seen.in_state("skipped") == {"AbsentAlert"}
    assert seen.status == 5
    assert seen.results is not None
    assert seen.results["verdict"] == "unknown"


def test_a_run_that_selected_nothing_is_not_ok(judge: Judge, target: Path) -> None:
    seen = judge("-k", "no_check_is_called_so", target=target)
    assert seen.status == 5


def test_what_a_probe_imports_disturbs_no_check(judge: Judge, project: Project, target: Path) -> None:
    """Libraries make loggers as they are imported, on the threads of probes, while pytest runs the checks."""
    imports = """
import itertools, logging, threading

def import_libraries():
    for number in itertools.count():
        logging.getLogger(f"library-{number}")

threading.Thread(target=import_libraries, daemon=True).start()

@pytest.mark.parametrize("number", range(100))
"""
    project.add_alert(
        "fine_alert", WELL + imports + '@diagnostic(cause="a", step=1)\ndef test_a(number):\n    "It is so."\n'
    )
    assert judge(target=target, cwd=project.folder).status == 0
