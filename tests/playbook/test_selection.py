from __future__ import annotations

import gc
import os
import shutil
import subprocess
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any

import pytest

from tests.projects import Project, nowhere, run_pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Judge, Judgement

API_DOWN = "checks/sev0/test_orchestrator_api_down.py"
DATABASE_DOWN = "checks/sev0/test_orchestrator_database_down.py"
NO_WORKERS = "checks/sev0/test_no_active_workers.py"
TRIGGER = f"{NO_WORKERS}::test_a_worker_sent_a_heartbeat_recently"
QUEUED = f"{NO_WORKERS}::test_due_work_is_taken"

WELL = """
@trigger()
def test_all_is_well():
    "All is well."

@diagnostic(cause="a-cause", step=1)
def test_no_cause_is_found():
    "There is no cause."
"""
BAD = """
@trigger()
def test_all_is_well():
    "All is well."
    assert False, "it is bad"

@diagnostic(cause="a-cause", step=1)
def test_no_cause_is_found():
    "There is no cause."
    assert False, "here is why"
"""
UNTOLD = """
@diagnostic(cause="another-cause", step=1)
def test_it_can_be_told():
    "It can be told."
    raise OSError("lost")
"""


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return nowhere(tmp_path)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "project")


def alerts(judgement: Judgement) -> list[dict[str, Any]]:
    assert judgement.results is not None, judgement.output
    found: list[dict[str, Any]] = judgement.results["alerts"]
    return found


def outcomes(judgement: Judgement) -> dict[str, str]:
    return {check["id"]: check["outcome"] for alert in alerts(judgement) for check in alert["checks"]}


def junit_cases(judgement: Judgement) -> dict[str, dict[str, str]]:
    """Give the properties of each test case, and how it ended."""
    assert judgement.folder is not None, judgement.output
    cases = ET.parse(judgement.folder / "junit.xml").iter("testcase")
    return {
        f"{case.get('classname')}::{case.get('name')}": {
            **{str(each.get("name")): str(each.get("value")) for each in case.iter("property")},
            "ended": next((child.tag for child in case if child.tag != "properties"), "passed"),
        }
        for case in cases
    }


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
    assert list(outcomes(seen)) == [TRIGGER, QUEUED]


@pytest.mark.parametrize("selection", [("-k", "database"), (QUEUED,)], ids=["keyword", "node-id"])
def test_a_partial_run_leaves_latest_where_it_was(judge: Judge, target: Path, selection: tuple[str, ...]) -> None:
    whole = judge(target=target)
    judge(*selection, target=target)
    assert whole.folder is not None
    assert (whole.folder.parent / "latest").resolve() == whole.folder


def test_last_failed_runs_what_failed_and_its_trigger(judge: Judge, project: Project, target: Path) -> None:
    project.add_alert("fine_alert", WELL)
    path = project.add_alert("half_told_alert", WELL + UNTOLD)
    judge(target=target, cwd=project.folder)
    again = judge("--lf", target=target, cwd=project.folder)
    assert list(outcomes(again)) == [f"{path}::test_all_is_well", f"{path}::test_it_can_be_told"]
    assert again.status == 6


def test_a_repaired_fault_is_seen_by_last_failed(judge: Judge, project: Project, target: Path) -> None:
    project.add_alert("fine_alert", WELL)
    path = project.add_alert("bad_alert", BAD)
    assert judge(target=target, cwd=project.folder).status == 1
    project.add_alert("bad_alert", WELL)
    again = judge("--lf", target=target, cwd=project.folder)
    assert set(outcomes(again)) == {f"{path}::test_all_is_well", f"{path}::test_no_cause_is_found"}
    assert again.status == 0


# -- stopping


def test_exit_first_tells_the_causes_of_the_alert_and_then_stops(judge: Judge, target: Path) -> None:
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


def test_the_environment_stands_still_while_checks_run(judge: Judge, project: Project, target: Path) -> None:
    """Libraries copy it, key by key, on the threads of probes."""
    copies = """
import os, threading

FAILED = []

def copy_the_environment():
    while True:
        try:
            dict(os.environ)
        except Exception as error:
            FAILED.append(error)

threading.Thread(target=copy_the_environment, daemon=True).start()

@pytest.mark.parametrize("number", range(50))
"""
    check = '@diagnostic(cause="a", step=1)\ndef test_a(number):\n    "It is so."\n    assert not FAILED, FAILED[:1]\n'
    told = '    assert "test_a[" not in os.environ.get("PYTEST_CURRENT_TEST", "")\n'
    project.add_alert("fine_alert", WELL + copies + check + told)
    seen = judge(target=target, cwd=project.folder)
    assert set(outcomes(seen).values()) == {"ok"}, seen.output


# -- in several processes


def test_two_processes_say_what_one_says(judge: Judge, target: Path) -> None:
    _compare(judge("-m", "sev0", target=target), judge("-m", "sev0", "-n", "2", target=target))


def test_two_processes_say_what_one_says_of_a_healthy_target(judge: Judge) -> None:
    alone, together = judge("-m", "sev0"), judge("-m", "sev0", "-n", "2")
    assert alone.status == 0
    _compare(alone, together)


def _compare(alone: Judgement, together: Judgement) -> None:
    assert together.status == alone.status
    assert outcomes(together) == outcomes(alone)
    for alert in alerts(alone):
        other = together.alert(alert["name"])
        assert [cause["name"] for cause in other["causes"]] == [cause["name"] for cause in alert["causes"]]
        assert [other["state"], other["caused_by"]] == [alert["state"], alert["caused_by"]]
    assert junit_cases(together) == junit_cases(alone)
    assert alone.results is not None
    assert together.results is not None
    assert {each["name"] for each in together.results["probes"]} == {each["name"] for each in alone.results["probes"]}
    assert set(together.results["cost"]) == set(alone.results["cost"])


DIES = """
import os

def test_it(request):
    if hasattr(request.config, "workerinput"):
        os._exit(1)
"""


def test_a_trigger_whose_process_died_is_unknown(judge: Judge, project: Project, target: Path) -> None:
    path = project.add_alert("dying_alert", DIES.replace("def test_it", "@trigger()\ndef test_it"))
    project.add_alert("fine_alert", WELL)
    seen = judge("-n", "2", target=target, cwd=project.folder)
    assert (seen.status, seen.in_state("unknown"), seen.in_state("ok")) == (6, {"DyingAlert"}, {"FineAlert"})
    assert outcomes(seen)[f"{path}::test_it"] == "unknown"
    assert "crashed while running" in seen.alert("DyingAlert")["message"]


def test_a_diagnostic_whose_process_died_is_unknown(judge: Judge, project: Project, target: Path) -> None:
    dies = DIES.replace("def test_it", '@diagnostic(cause="b", step=1)\ndef test_it')
    path = project.add_alert("dying_alert", WELL + dies)
    seen = judge("-n", "2", target=target, cwd=project.folder)
    assert seen.status == 6, seen.output
    assert seen.alert("DyingAlert")["state"] == "ok"
    assert outcomes(seen)[f"{path}::test_it"] == "unknown"


def test_an_alert_of_which_nothing_came_is_unknown(judge: Judge, project: Project, target: Path) -> None:
    path = project.add_alert("odd_alert", WELL)
    plugin = "import pytest\n\n@pytest.hookimpl(tryfirst=True)\ndef pytest_runtest_protocol(item):\n"
    (project.folder / "odd.py").write_text(plugin + '    return "test_all_is_well" in item.name or None\n')
    seen = judge("-p", "odd", target=target, cwd=project.folder)
    assert (seen.status, seen.alert("OddAlert")["state"]) == (6, "unknown"), seen.output
    assert outcomes(seen) == {path: "unknown", f"{path}::test_no_cause_is_found": "ok"}


def test_a_run_with_a_test_that_failed_and_is_no_check_is_not_well(
    judge: Judge, project: Project, target: Path
) -> None:
    project.add_alert("fine_alert", WELL)
    project.add_module("plain", "def test_it():\n    assert False, 'so it is'\n")
    assert judge(target=target, cwd=project.folder).status == 6


@pytest.mark.parametrize("processes", [(), ("-n", "2")])
def test_exit_first_ends_as_what_was_found(
    judge: Judge, project: Project, target: Path, processes: tuple[str, ...]
) -> None:
    for name in ("a_alert", "b_alert", "c_alert", "d_alert"):
        project.add_alert(name, BAD)
    seen = judge("-x", *processes, target=target, cwd=project.folder)
    assert seen.status == 1, seen.output
    assert seen.results is not None
    assert (seen.results["verdict"], seen.results["complete"]) == ("firing", False)


# -- reporting


def test_junit_carries_what_an_alert_is(judge: Judge, target: Path) -> None:
    cases = junit_cases(judge("-m", "sev0", target=target))
    assert cases["checks.sev0.test_orchestrator_api_down::test_the_api_is_healthy"] == {
        "alert": "OrchestratorAPIDown", "severity": "0", "role": "trigger", "state": "firing",
        "runbook": "runbooks/OrchestratorAPIDown.md", "ended": "failure",
    }  # fmt: skip
    assert cases["checks.sev0.test_orchestrator_api_down::test_the_api_listens"] == {
        "alert": "OrchestratorAPIDown", "severity": "0", "role": "diagnostic", "state": "firing",
        "cause": "api-not-listening", "runbook": "runbooks/OrchestratorAPIDown.md", "ended": "failure",
    }  # fmt: skip
    assert cases["checks.sev0.test_no_active_workers::test_a_worker_sent_a_heartbeat_recently"]["ended"] == "error"


def test_files_that_the_user_asked_for_are_written_where_he_said(judge: Judge, target: Path, tmp_path: Path) -> None:
    seen = judge("-m", "sev0", f"--html={tmp_path}/mine.html", f"--junitxml={tmp_path}/mine.xml", target=target)
    assert seen.folder is not None
    assert (tmp_path / "mine.html").read_text() == (seen.folder / "report.html").read_text()
    assert (tmp_path / "mine.xml").read_text() == (seen.folder / "junit.xml").read_text()
    assert len(junit_cases(seen)) == len(outcomes(seen))


def test_nothing_is_named_that_is_gone(judge: Judge, target: Path) -> None:
    assert "ordinaut-report-" not in judge("-m", "sev0", target=target).output


def test_a_report_that_cannot_be_written_is_said_and_changes_no_verdict(
    project: Project, target: Path, tmp_path: Path
) -> None:
    project.add_alert("fine_alert", WELL)
    (tmp_path / "file").touch()
    seen = run_pytest(f"--target={target}", f"--output={tmp_path}/file/folder", cwd=project.folder)
    assert seen.returncode == 0
    assert "the report could not be written" in seen.stdout


@pytest.mark.parametrize("option", ["--html", "--junitxml"])
def test_a_file_that_cannot_be_written_where_the_user_said_costs_a_warning(
    judge: Judge, project: Project, target: Path, tmp_path: Path, option: str
) -> None:
    project.add_alert("bad_alert", BAD)
    (tmp_path / "file").touch()
    seen = judge(f"{option}={tmp_path}/file/mine", target=target, cwd=project.folder)
    assert (seen.status, seen.in_state("firing")) == (1, {"BadAlert"})
    assert seen.output.count("could not be written: ") == 1
    assert "FIRING   sev0 BadAlert" in seen.output
    assert seen.folder is not None
    assert len(list(seen.folder.iterdir())) == 3


REPORTERS_FAIL = """
import pytest

@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish():
    raise RuntimeError("no more paper")

def pytest_configure(config):
    from reports.pages import report as html
    html.ZoneInfo = None
"""


@pytest.mark.parametrize("processes", [(), ("-n", "2")])
def test_a_reporter_that_fails_costs_a_warning(
    judge: Judge, project: Project, target: Path, processes: tuple[str, ...]
) -> None:
    project.add_alert("bad_alert", BAD)
    (project.folder / "failing.py").write_text(REPORTERS_FAIL)
    seen = judge("-p", "failing", *processes, target=target, cwd=project.folder)
    assert seen.status == 1, seen.output
    assert "RuntimeError: no more paper" in seen.output
    assert "report.html could not be written: TypeError" in seen.output
    assert "FIRING   sev0 BadAlert" in seen.output
    assert seen.in_state("firing") == {"BadAlert"}
    assert "Traceback" not in seen.output


@pytest.mark.parametrize("processes", [(), ("-n", "2")])
def test_what_is_no_text_is_told_all_the_same(
    judge: Judge, project: Project, target: Path, processes: tuple[str, ...]
) -> None:
    project.add_alert("bad_alert", BAD.replace("it is bad", "no caf\\udce9 here"))
    seen = judge(*processes, target=target, cwd=project.folder)
    assert seen.status == 1, seen.output
    assert seen.alert("BadAlert")["message"] == "no caf\\udce9 here"
    assert seen.folder is not None
    assert len(list(seen.folder.iterdir())) == 3


def test_where_pytest_itself_fails_what_is_known_is_reported(judge: Judge, project: Project, target: Path) -> None:
    project.add_alert("a_bad_alert", BAD)
    project.add_alert("b_alert", WELL)
    plugin = "def pytest_runtest_logstart(nodeid):\n    assert 'b_alert' not in nodeid, 'a plugin fails'\n"
    (project.folder / "odd.py").write_text(plugin)
    seen = judge("-p", "odd", target=target, cwd=project.folder)
    assert (seen.status, seen.in_state("firing"), seen.in_state("unknown")) == (3, {"ABadAlert"}, {"BAlert"})
    assert seen.results is not None
    assert (seen.results["verdict"], seen.results["complete"]) == ("unknown", False)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
@pytest.mark.parametrize("what", ["space", "inodes"])
def test_where_nothing_temporary_can_be_written_it_is_judged_all_the_same(
    project: Project, target: Path, tmp_path: Path, what: str
) -> None:
    project.add_alert("bad_alert", BAD)
    full = tmp_path / "full"
    full.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,nr_inodes=20", "tmpfs", str(full)], check=True)
    try:
        if what == "space":
            (full / "filler").write_bytes(bytes(shutil.disk_usage(full).free))
        else:
            for number in range(os.statvfs(full).f_ffree):
                (full / str(number)).touch()
        # tempfile falls back to other folders, which this machine has: a full machine has none
        nowhere_else = f"import tempfile\ntempfile._candidate_tempdir_list = lambda: [{str(full)!r}]\n"
        (project.folder / "full.py").write_text(nowhere_else)
        seen = run_pytest(f"--target={target}", f"--output={tmp_path}/output", "-p", "full", cwd=project.folder)
    finally:
        subprocess.run(["umount", str(full)], check=True)
    assert seen.returncode == 1, seen.stdout + seen.stderr
    assert "FIRING   sev0 BadAlert" in seen.stdout
    assert "what pytest itself reports could not be written" in seen.stdout
    assert (tmp_path / "output" / "latest" / "report.html").exists()


def test_the_environment_is_kept_out_of_the_report(judge: Judge, project: Project, target: Path) -> None:
    project.add_alert("fine_alert", WELL)
    seen = judge(target=target, cwd=project.folder, BUILD_URL="https://ci.example/token-of-ci", CI="true")
    assert seen.folder is not None
    assert "token-of-ci" not in "".join(path.read_text() for path in seen.folder.iterdir())


# -- what could not be judged


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
    path = project.add_alert(
        "broken_alert", WELL.replace(f"def {name}():", f"def {name}(limits):\n    limits.missing\n")
    )
    seen = judge(target=target, cwd=project.folder)
    assert seen.status == 6
    assert outcomes(seen)[f"{path}::{name}"] == "unknown"
    message = next(check["message"] for check in alerts(seen)[0]["checks"] if check["id"].endswith(name))
    assert message.startswith("the check itself failed: AttributeError")
    assert f"{path}:" in message
    assert junit_cases(seen)[f"checks.sev0.test_broken_alert::{name}"]["ended"] == "error"


def test_a_diagnostic_that_fails_while_nothing_fires_is_noted(judge: Judge, project: Project, target: Path) -> None:
    path = project.add_alert("noted_alert", WELL.replace('"There is no cause."', '"No."\n    assert False, "look"'))
    seen = judge(target=target, cwd=project.folder)
    assert seen.status == 0
    assert outcomes(seen)[f"{path}::test_no_cause_is_found"] == "noted"
    assert "a-cause: look" in seen.output


def test_a_run_that_skipped_everything_is_not_well(judge: Judge, project: Project, target: Path) -> None:
    project.add_alert("absent_alert", WELL.replace('"All is well."', '"All."\n    pytest.skip("no such component")'))
    seen = judge("-m", "trigger", target=target, cwd=project.folder)
    assert seen.in_state("skipped") == {"AbsentAlert"}
    assert seen.status == 5
    assert seen.results is not None
    assert seen.results["verdict"] == "unknown"


def test_a_run_that_selected_nothing_is_not_well(judge: Judge, target: Path) -> None:
    seen = judge("-k", "no_check_is_called_so", target=target)
    assert seen.status == 5


# -- runs of other tests


def test_tests_that_are_no_checks_are_left_alone(project: Project) -> None:
    (project.folder / "test_other.py").write_text("def test_it():\n    one = 1\n    assert one == 2\n")
    seen = run_pytest("test_other.py", cwd=project.folder)
    assert seen.returncode == 1
    assert "assert 1 == 2" in seen.stdout
    assert "no target" not in seen.stdout + seen.stderr
    assert not (project.folder / "reports" / "output").exists()


def test_other_tests_end_with_pytests_own_status(project: Project) -> None:
    (project.folder / "test_other.py").write_text("import pytest\n\ndef test_it():\n    pytest.skip('today')\n")
    assert run_pytest("test_other.py", cwd=project.folder).returncode == 0
    assert run_pytest("test_other.py", "-k", "nothing", cwd=project.folder).returncode == 5


# -- the process


def test_the_garbage_collector_rests_in_a_health_run_alone(project: Project, judge: Judge, target: Path) -> None:
    project.add_alert("it_rests", "import gc\n\n@trigger()\ndef test_it():\n    assert not gc.isenabled()\n")
    assert judge(target=target, cwd=project.folder).status == 0
    assert gc.isenabled()
