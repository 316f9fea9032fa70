from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.projects import BAD, WELL, Project, nowhere, run_pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Judge, Judgement


@pytest.fixture
def project(empty_project: Project) -> Project:
    return empty_project


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return nowhere(tmp_path)


def alerts(judgement: Judgement) -> list[dict[str, Any]]:
    assert judgement.results is not None, judgement.output
    found: list[dict[str, Any]] = judgement.results["alerts"]
    return found


# -- in several processes


def test_two_processes_report_the_same_as_one(judge: Judge, target: Path) -> None:
    _compare(judge("-m", "sev0", target=target), judge("-m", "sev0", "-n", "2", target=target))


def test_two_processes_report_the_same_of_a_healthy_target(judge: Judge) -> None:
    alone, together = judge("-m", "sev0"), judge("-m", "sev0", "-n", "2")
    assert alone.status == 0
    _compare(alone, together)


def _compare(alone: Judgement, together: Judgement) -> None:
    assert together.status == alone.status
    assert together.outcomes == alone.outcomes
    for alert in alerts(alone):
        other = together.alert(alert["name"])
        assert [cause["name"] for cause in other["causes"]] == [cause["name"] for cause in alert["causes"]]
        assert [other["state"], other["caused_by"]] == [alert["state"], alert["caused_by"]]
    assert together.junit_cases == alone.junit_cases
    assert alone.results is not None
    assert together.results is not None
    assert {each["name"] for each in together.results["probes"]} == {each["name"] for each in alone.results["probes"]}
    assert set(together.results["cost"]) == set(alone.results["cost"])


FILES = {"report.html", "checks.html", "results.json", "junit.xml"}
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
    assert seen.outcomes[f"{path}::test_it"] == "unknown"
    assert "crashed while running" in seen.alert("DyingAlert")["message"]


def test_a_diagnostic_whose_process_died_is_unknown(judge: Judge, project: Project, target: Path) -> None:
    dies = DIES.replace("def test_it", '@diagnostic(cause="b", step=1)\ndef test_it')
    path = project.add_alert("dying_alert", WELL + dies)
    seen = judge("-n", "2", target=target, cwd=project.folder)
    assert seen.status == 6, seen.output
    assert seen.alert("DyingAlert")["state"] == "ok"
    assert seen.outcomes[f"{path}::test_it"] == "unknown"


def test_an_alert_without_a_result_is_unknown(judge: Judge, project: Project, target: Path) -> None:
    path = project.add_alert("odd_alert", WELL)
    plugin = "import pytest\n\n@pytest.hookimpl(tryfirst=True)\ndef pytest_runtest_protocol(item):\n"
    (project.folder / "odd.py").write_text(plugin + '    return "test_all_is_well" in item.name or None\n')
    seen = judge("-p", "odd", target=target, cwd=project.folder)
    assert (seen.status, seen.alert("OddAlert")["state"]) == (6, "unknown"), seen.output
    assert seen.outcomes == {path: "unknown", f"{path}::test_no_cause_is_found": "ok"}


def test_a_failed_test_that_is_not_a_check_makes_the_run_unknown(judge: Judge, project: Project, target: Path) -> None:
    project.add_alert("fine_alert", WELL)
    project.add_module("plain", "def test_it():\n    assert False, 'so it is'\n")
    assert judge(target=target, cwd=project.folder).status == 6


@pytest.mark.parametrize("processes", [(), ("-n", "2")])
def test_exit_first_ends_with_the_status_of_what_was_found(
    judge: Judge, project: Project, target: Path, processes: tuple[str, ...]
) -> None:
    for name in ("a_alert", "b_alert", "c_alert", "d_alert"):
        project.add_alert(name, BAD)
    seen = judge("-x", *processes, target=target, cwd=project.folder)
    assert seen.status == 1, seen.output
    assert seen.results is not None
    assert (seen.results["verdict"], seen.results["complete"]) == ("firing", False)


# -- reporting


def test_junit_has_the_properties_of_an_alert(judge: Judge, target: Path) -> None:
    cases = judge("-m", "sev0", target=target).junit_cases
    assert cases["checks.sev0.test_orchestrator_api_down::test_the_api_is_healthy"] == {
        "alert": "OrchestratorAPIDown", "severity": "0", "role": "trigger", "state": "firing",
        "runbook": "runbooks/OrchestratorAPIDown.md", "ended": "failure",
    }  # fmt: skip
    assert cases["checks.sev0.test_orchestrator_api_down::test_the_api_listens"] == {
        "alert": "OrchestratorAPIDown", "severity": "0", "role": "diagnostic", "state": "firing",
        "cause": "api-not-listening", "runbook": "runbooks/OrchestratorAPIDown.md", "ended": "failure",
    }  # fmt: skip
    assert cases["checks.sev0.test_no_active_workers::test_a_worker_sent_a_heartbeat_recently"]["ended"] == "error"


def test_files_that_the_user_asked_for_are_written_there_too(judge: Judge, target: Path, tmp_path: Path) -> None:
    seen = judge("-m", "sev0", f"--html={tmp_path}/mine.html", f"--junitxml={tmp_path}/mine.xml", target=target)
    assert seen.folder is not None
    assert (tmp_path / "mine.html").read_text() == (seen.folder / "report.html").read_text()
    assert (tmp_path / "mine.xml").read_text() == (seen.folder / "junit.xml").read_text()
    assert len(seen.junit_cases) == len(seen.outcomes)


def test_no_temporary_file_is_named(judge: Judge, target: Path) -> None:
    assert "ordinaut-report-" not in judge("-m", "sev0", target=target).output


def test_a_report_that_cannot_be_written_does_not_affect_the_exit_status(
    project: Project, target: Path, tmp_path: Path
) -> None:
    project.add_alert("fine_alert", WELL)
    (tmp_path / "file").touch()
    seen = run_pytest(f"--target={target}", f"--output={tmp_path}/file/folder", cwd=project.folder)
    assert seen.returncode == 0
    assert "the report could not be written" in seen.stdout


@pytest.mark.parametrize("option", ["--html", "--junitxml"])
def test_a_file_of_the_user_that_cannot_be_written_is_a_warning(
    judge: Judge, project: Project, target: Path, tmp_path: Path, option: str
) -> None:
    project.add_alert("bad_alert", BAD)
    (tmp_path / "file").touch()
    seen = judge(f"{option}={tmp_path}/file/mine", target=target, cwd=project.folder)
    assert (seen.status, seen.in_state("firing")) == (1, {"BadAlert"})
    assert seen.output.count("could not be written: ") == 1
    assert "FIRING   sev0 BadAlert" in seen.output
    assert seen.folder is not None
    assert {path.name for path in seen.folder.iterdir()} == FILES


REPORTERS_FAIL = """
import pytest

@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish():
    raise RuntimeError("no more paper")

def pytest_configure(config):
    from reports.pages import report
    report.render = None
"""


@pytest.mark.parametrize("processes", [(), ("-n", "2")])
def test_a_reporter_that_fails_is_a_warning(
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
def test_a_message_that_cannot_be_encoded_is_reported(
    judge: Judge, project: Project, target: Path, processes: tuple[str, ...]
) -> None:
    project.add_alert("bad_alert", BAD.replace("it is bad", "no caf\\udce9 here"))
    seen = judge(*processes, target=target, cwd=project.folder)
    assert seen.status == 1, seen.output
    assert seen.alert("BadAlert")["message"] == "no caf\\udce9 here"
    assert seen.folder is not None
    assert {path.name for path in seen.folder.iterdir()} == FILES


def test_an_internal_error_of_pytest_leaves_a_report(judge: Judge, project: Project, target: Path) -> None:
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
def test_a_run_without_room_for_temporary_files_is_judged(
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
