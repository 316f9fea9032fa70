from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.projects import BAD, WELL, Project, nowhere, run_pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Judge, Judgement

API_DOWN = "checks/sev0/test_orchestrator_api_down.py"
DATABASE_DOWN = "checks/sev0/test_orchestrator_database_down.py"
NO_WORKERS = "checks/sev0/test_no_active_workers.py"
TRIGGER = f"{NO_WORKERS}::test_a_worker_sent_a_heartbeat_recently"
QUEUED = f"{NO_WORKERS}::test_due_work_is_taken"

BROKEN = """
@diagnostic(cause="another-cause", step=1)
def test_it_can_be_judged():
    "It can be judged."
    raise OSError("lost")
"""


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return nowhere(tmp_path)


def alerts(judgement: Judgement) -> list[dict[str, Any]]:
    assert judgement.results is not None, judgement.output
    found: list[dict[str, Any]] = judgement.results["alerts"]
    return found


# -- selecting


def test_a_severity_selects_its_alerts_alone(judge: Judge, target: Path) -> None:
    seen = judge("-m", "sev0", target=target)
    assert {alert["name"] for alert in alerts(seen)} == {
        "OrchestratorAPIDown", "OrchestratorDatabaseDown", "NoActiveWorkers",
    }  # fmt: skip
    assert {alert["severity"] for alert in alerts(seen)} == {0}


def test_two_severities_select_the_alerts_of_both(judge: Judge, target: Path, project: Project) -> None:
    for severity in (0, 1, 2):
        project.add_alert(f"alert_of_{severity}", WELL, severity)
    seen = judge("-m", "sev0 or sev1", target=target, cwd=project.folder)
    assert {alert["severity"] for alert in alerts(seen)} == {0, 1}
    assert seen.status == 0


def test_an_unknown_marker_is_a_usage_error(judge: Judge, target: Path) -> None:
    seen = judge("-m", "sevv", target=target)
    assert seen.status in (4, 5)
    assert seen.results is None or seen.results["verdict"] == "unknown"
    assert "ordinaut-report-" not in seen.output, "a file that is gone is named"


def test_collecting_touches_nothing_and_needs_no_target() -> None:
    seen = run_pytest("--collect-only", "-q")
    assert seen.returncode == 0
    assert QUEUED in seen.stdout
    assert "no target" not in seen.stdout + seen.stderr


@pytest.mark.parametrize("marker", ["sev0", "sev1", "sev2", "sev3", "trigger", "diagnostic"])
def test_the_markers_are_listed(marker: str) -> None:
    assert f"@pytest.mark.{marker}: " in run_pytest("--markers").stdout


@pytest.mark.parametrize(
    "selection", [("-k", "no_active_workers and due_work_is_taken"), (QUEUED,)], ids=["keyword", "node-id"]
)
def test_a_diagnostic_selected_alone_brings_its_trigger_along(
    judge: Judge, target: Path, selection: tuple[str, ...]
) -> None:
    seen = judge(*selection, target=target)
    assert list(seen.outcomes) == [TRIGGER, QUEUED]


@pytest.mark.parametrize("selection", [("-k", "database"), (QUEUED,)], ids=["keyword", "node-id"])
def test_a_partial_run_leaves_latest_where_it_was(judge: Judge, target: Path, selection: tuple[str, ...]) -> None:
    whole = judge(target=target)
    judge(*selection, target=target)
    assert whole.folder is not None
    assert (whole.folder.parent / "latest").resolve() == whole.folder


def test_last_failed_runs_what_failed_and_its_trigger(judge: Judge, project: Project, target: Path) -> None:
    project.add_alert("fine_alert", WELL)
    path = project.add_alert("broken_alert", WELL + BROKEN)
    judge(target=target, cwd=project.folder)
    again = judge("--lf", target=target, cwd=project.folder)
    assert list(again.outcomes) == [f"{path}::test_all_is_well", f"{path}::test_it_can_be_judged"]
    assert again.status == 6


def test_a_repaired_fault_is_seen_by_last_failed(judge: Judge, project: Project, target: Path) -> None:
    project.add_alert("fine_alert", WELL)
    path = project.add_alert("bad_alert", BAD)
    assert judge(target=target, cwd=project.folder).status == 1
    project.add_alert("bad_alert", WELL)
    again = judge("--lf", target=target, cwd=project.folder)
    assert set(again.outcomes) == {f"{path}::test_all_is_well", f"{path}::test_no_cause_is_found"}
    assert again.status == 0


# -- stopping


def test_exit_first_stops_after_the_causes_of_the_alert(judge: Judge, target: Path) -> None:
    seen = judge("-x", API_DOWN, DATABASE_DOWN, target=target)
    assert seen.status == 1
    assert seen.alert("OrchestratorAPIDown")["causes"][0]["name"] == "api-not-listening"
    assert seen.alert("OrchestratorDatabaseDown")["state"] == "unknown"
    assert "stopped before" in seen.alert("OrchestratorDatabaseDown")["message"]
    assert seen.results is not None
    assert not seen.results["complete"]


def test_exit_first_goes_on_while_nothing_fails(judge: Judge, project: Project, target: Path) -> None:
    for file in ("first_alert", "second_alert"):
        project.add_alert(file, WELL)
    seen = judge("-x", target=target, cwd=project.folder)
    assert seen.in_state("ok") == {"FirstAlert", "SecondAlert"}
    assert seen.status == 0


# -- runs of other tests


def test_tests_that_are_not_checks_run_as_in_plain_pytest(project: Project) -> None:
    (project.folder / "test_other.py").write_text("def test_it():\n    one = 1\n    assert one == 2\n")
    seen = run_pytest("test_other.py", cwd=project.folder)
    assert seen.returncode == 1
    assert "assert 1 == 2" in seen.stdout
    assert "no target" not in seen.stdout + seen.stderr
    assert not (project.folder / "reports" / "output").exists()


def test_other_tests_end_with_pytests_own_exit_status(project: Project) -> None:
    (project.folder / "test_other.py").write_text("import pytest\n\ndef test_it():\n    pytest.skip('today')\n")
    assert run_pytest("test_other.py", cwd=project.folder).returncode == 0
    assert run_pytest("test_other.py", "-k", "nothing", cwd=project.folder).returncode == 5
