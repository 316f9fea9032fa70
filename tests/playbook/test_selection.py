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
    assert "ordinaut-temporary-" not in seen.output, "a file that is gone is named"


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


NARROWED = [
    ("-k", "fine"), ("--ignore=checks/sev0/test_bad_alert.py",), ("--ignore-glob=*/test_bad*",),
    ("--deselect=checks/sev0/test_bad_alert.py",), ("--deselect=checks/sev0/test_bad_alert.py", "-m", "sev0"),
    ("checks/sev0",), ("checks/sev1/test_fine_alert.py",),
    ("checks/sev1/test_fine_alert.py::test_no_cause_is_found",), ("-o", "python_files=test_f*"),
    ("-o", "python_functions=test_all*"), ("-m", "trigger"), ("--lf",), ("--sw",), ("-k", "fine", "-n", "2"),
    ("--ignore=checks/sev0", "-n", "2"),
]  # fmt: skip


@pytest.mark.parametrize("selection", NARROWED, ids=" ".join)
def test_a_run_that_options_narrow_is_partial(
    judge: Judge, target: Path, project: Project, selection: tuple[str, ...]
) -> None:
    project.add_alert("bad_alert", WELL)
    project.add_alert("fine_alert", WELL, 1)
    whole = judge(target=target, cwd=project.folder)
    assert whole.folder is not None
    seen = judge(*selection, target=target, cwd=project.folder)
    assert seen.results is not None
    assert seen.results["selection"]["partial"]
    assert (whole.folder.parent / "latest").resolve() == whole.folder


@pytest.mark.parametrize("selection", [(), ("-m", "sev0"), ("checks",), (".",), ("-n", "2"), ("--ff",), ("--active",)])
def test_a_run_of_all_that_the_markers_select_is_whole(
    judge: Judge, target: Path, project: Project, selection: tuple[str, ...]
) -> None:
    project.add_alert("fine_alert", WELL)
    project.add_alert("other_alert", WELL, 1)
    active = '\n@diagnostic(cause="c", step=1, active=True)\ndef test_it_writes():\n    "It writes."\n'
    project.add_alert("active_alert", WELL + active, 1)
    project.add_module("does_not_import", "import nothing_of_that_name", 1)
    seen = judge(*selection, target=target, cwd=project.folder)
    assert seen.folder is not None
    assert seen.results is not None
    assert not seen.results["selection"]["partial"]
    assert (seen.folder.parent / "latest").resolve() == seen.folder


def test_a_run_with_alerts_outside_of_the_project_is_whole(
    judge: Judge, target: Path, project: Project, tmp_path: Path
) -> None:
    path = project.folder / project.add_alert("fine_alert", WELL)
    (own := tmp_path / "own" / "sev0").mkdir(parents=True)
    (own / "test_own_alert.py").write_text(path.read_text().replace("FineAlert", "OwnAlert"))
    options = ("-o", f"testpaths=checks {tmp_path}/own")
    for more, partial in (((), False), (("--deselect", "checks/sev0/test_fine_alert.py"), True)):
        seen = judge(*options, *more, target=target, cwd=project.folder)
        assert seen.results is not None, seen.output
        assert seen.results["selection"]["partial"] == partial


# -- options with which nothing is judged

PRINT = [
    ("--help",), ("--version",), ("-VV",), ("--markers",), ("--fixtures",), ("--fixtures-per-test",), ("--cache-show",),
    ("--collect-only",), ("--co", "-q"), ("--show-target",), ("--fixtures", "-n", "2"),
]  # fmt: skip
RUN_NOTHING = [("--setup-only",), ("--setup-plan",), ("--setup-plan", "-n", "2")]


@pytest.mark.parametrize(("options", "status"), [*((o, 0) for o in PRINT), *((o, 5) for o in RUN_NOTHING)])
def test_what_judges_nothing_leaves_nothing(
    judge: Judge, target: Path, project: Project, tmp_path: Path, options: tuple[str, ...], status: int
) -> None:
    project.add_alert("bad_alert", BAD)
    asked = f"--results={tmp_path}/results.json", f"--metrics={tmp_path}/metrics", f"--html={tmp_path}/mine.html"
    seen = judge(*options, *asked, "--ping=http://127.0.0.1:1", target=target, cwd=project.folder)
    assert (seen.status, seen.folder) == (status, None), seen.output
    assert "ping failed" not in seen.output
    assert not {"output", "results.json", "metrics"} & {path.name for path in tmp_path.iterdir()}


@pytest.mark.parametrize("options", PRINT[3:6])
def test_what_only_prints_needs_no_target(options: tuple[str, ...]) -> None:
    assert run_pytest(*options, "--docker=none").returncode == 0


@pytest.mark.parametrize("arguments", [(), ("--assert=plain",), ("-n", "2")])
def test_nothing_is_judged_where_assertions_do_nothing(
    judge: Judge, target: Path, project: Project, arguments: tuple[str, ...]
) -> None:
    project.add_alert("bad_alert", BAD)
    for level in ("1", "2"):
        seen = judge(*arguments, target=target, cwd=project.folder, PYTHONOPTIMIZE=level)
        assert (seen.status, seen.folder) == (4, None)
        assert "unset PYTHONOPTIMIZE" in seen.output
    assert judge("--help", target=target, cwd=project.folder, PYTHONOPTIMIZE="1").status == 0


@pytest.mark.parametrize(
    "options",
    [("-p", "no:terminal"), ("-p", "no:junitxml"), ("-p", "no:html"), ("-p", "no:metadata"), ("-c", "/dev/null"),
     ("--rootdir=/tmp",), ("-o", "testpaths=nowhere", "checks"), ("--results=",), ("--output=",), ("--metrics=",)],
    ids=" ".join,
)  # fmt: skip
def test_options_with_which_checks_cannot_be_judged_are_refused(
    judge: Judge, target: Path, project: Project, options: tuple[str, ...]
) -> None:
    project.add_alert("fine_alert", WELL)
    seen = judge(*options, target=target, cwd=project.folder)
    assert (seen.status, seen.folder) == (4, None)
    assert len([line for line in seen.output.splitlines() if line.startswith("ERROR: ")]) == 1
    assert "Traceback" not in seen.output


def test_the_exit_status_of_another_plugin_is_not_taken_for_ours(judge: Judge, target: Path) -> None:
    seen = judge("--nagios", target=target)
    assert (seen.status, seen.folder) == (4, None)


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
