from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.projects import BAD, WELL, Project, environment, nowhere, run_pytest

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
    assert "ordinaut-temporary-" not in judge("-m", "sev0", target=target).output


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


# -- errors of the suite itself, and of plugins

AT_A_CHECK = {  # each fails at the checks of BAlert alone
    "logstart": "def pytest_runtest_logstart(nodeid):\n    fail_at(nodeid)\n",
    "logreport": "def pytest_runtest_logreport(report):\n    fail_at(report.nodeid * (report.when == 'call'))\n",
    "makereport": "def pytest_runtest_makereport(item):\n    fail_at(item.nodeid)\n",
    "teardown": "def pytest_runtest_makereport(item, call):\n    fail_at(item.nodeid * (call.when == 'teardown'))\n",
    "judging": """
import playbook.judging as judging
real = judging.judge
def judge(role, raised, *rest):
    if "of b" in str(raised):
        raise RuntimeError("ours, password=hunter2")
    return real(role, raised, *rest)
judging.judge = judge
""",
}
FAIL_AT = """
def fail_at(nodeid):
    if "b_alert" in nodeid:
        raise RuntimeError("ours, password=hunter2")
"""
FAILS_OF_B = BAD.replace("it is bad", "it is bad of b").replace("here is why", "so it is, of b")


@pytest.mark.parametrize(
    ("where", "processes"),
    [*((where, ()) for where in AT_A_CHECK), *((w, ("-n", "2")) for w in ("teardown", "judging"))],
)
@pytest.mark.parametrize("fires", [True, False])
def test_an_internal_error_costs_one_alert_its_judgement(
    judge: Judge, project: Project, target: Path, where: str, processes: tuple[str, ...], *, fires: bool
) -> None:
    project.add_alert("a_alert", BAD if fires else WELL)
    project.add_alert("b_alert", FAILS_OF_B if where == "judging" else WELL)
    project.add_alert("c_alert", WELL)
    (project.folder / "odd.py").write_text(FAIL_AT + AT_A_CHECK[where])
    seen = judge("-p", "odd", *processes, target=target, cwd=project.folder)
    assert seen.status == (1 if fires else 3), seen.output
    assert seen.alert("AAlert")["state"] == ("firing" if fires else "ok")
    assert seen.alert("CAlert")["state"] == "ok"
    assert set(seen.outcomes.values()) >= {"unknown"}
    assert seen.results is not None
    assert (seen.results["complete"], seen.results["exit_status"]) == (True, seen.status)
    assert "internal error: RuntimeError: ours, password=••• at " in seen.output
    assert "Traceback" not in seen.output
    assert "hunter2" not in seen.output


IN_THE_RUN = {
    "collection": "def pytest_collection_finish():\n    raise RuntimeError('ours')\n",
    "loop": "def pytest_runtestloop():\n    raise RuntimeError('ours')\n",
    "finish": "import reports.plugin\nreports.plugin.states_that_count = None\n",
    "terminal": "import reports.terminal\nreports.terminal.write = None\n",
    "unconfigure": "def pytest_unconfigure():\n    raise RuntimeError('ours')\n",
    "target": "import fixtures.target\nfixtures.target.discover = None\n",
}


@pytest.mark.parametrize("where", IN_THE_RUN)
@pytest.mark.parametrize("fires", [True, False])
def test_an_internal_error_of_the_run_is_one_line(
    judge: Judge, project: Project, target: Path, where: str, *, fires: bool
) -> None:
    project.add_alert("a_alert", BAD if fires else WELL)
    (project.folder / "odd.py").write_text(IN_THE_RUN[where])
    seen = judge("-p", "odd", target=target, cwd=project.folder)
    judged = where in ("terminal", "unconfigure")
    assert seen.status == (1 if fires and judged else 3), seen.output
    lines = [line for line in seen.output.splitlines() if "internal error: " in line]
    assert len(lines) == 1, seen.output
    assert "Traceback" not in seen.output


def test_an_internal_error_is_shown_whole_on_demand(judge: Judge, project: Project, target: Path) -> None:
    (project.folder / "odd.py").write_text(IN_THE_RUN["loop"])
    project.add_alert("a_alert", WELL)
    assert "odd.py" in judge("-p", "odd", "--full-trace", target=target, cwd=project.folder).output


def test_an_internal_error_while_the_target_is_shown_is_no_alert(judge: Judge, project: Project, target: Path) -> None:
    (project.folder / "odd.py").write_text(IN_THE_RUN["target"])
    seen = judge("-p", "odd", "--show-target", target=target, cwd=project.folder)
    assert seen.status == 3
    assert seen.output.count("internal error: TypeError") == len(seen.output.splitlines()) == 1


# -- where nobody reads what is printed


@pytest.mark.parametrize("body", [WELL, BAD], ids=["ok", "firing"])
@pytest.mark.parametrize("streams", [">&-", ">&- 2>&- <&-", ">/dev/full 2>/dev/full", "| true", "2>&1 | head -c 9"])
def test_the_exit_status_does_not_depend_on_who_reads(
    project: Project, target: Path, tmp_path: Path, streams: str, body: str
) -> None:
    project.add_alert("an_alert", body)
    command = f"{sys.executable} -m pytest -v --target={target} --output={tmp_path}/output -p no:cacheprovider"
    script = f"( {command}; echo $? > {tmp_path}/status ) {streams}"
    done = subprocess.run(
        ["bash", "-c", script if streams[0] != ">" else f"( {command} {streams}; echo $? > {tmp_path}/status )"],
        cwd=project.folder, env=environment(), capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (tmp_path / "status").read_text().strip() == ("0" if body == WELL else "1"), done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert (tmp_path / "output" / "latest" / "results.json").exists()


# -- without room


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
