"""Whoever else is told of a run: Prometheus, GitHub Actions, a dead man's switch, JUnit."""

from __future__ import annotations

import http.server
import json
import os
import re
import socket
import subprocess
import threading
import time
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from prometheus_client.parser import text_string_to_metric_families

from playbook.outcome import Muted
from reports.results import Cause
from reports.sinks import github, metrics, ping
from tests.conftest import needs
from tests.projects import Project, nowhere
from tests.reports.test_history import NOON, run_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Judge

EVIL = "bad | `x` <img src=x onerror=alert(1)> [link](javascript:alert(1))\n::error::forged %0A"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(tmp_path / "project")
    failing = '@trigger()\ndef test_it():\n    assert False, "it is bad"\n'
    project.add_alert("it_fires", failing + '\n@diagnostic(cause="why", step=1)\ndef test_why():\n    assert False\n')
    project.add_alert("it_is_ok", "@trigger()\ndef test_it():\n    pass\n")
    return project


# -- metrics


def samples(path: Path) -> dict[tuple[str, str], float]:
    """The samples of a textfile, by name and by alert and state."""
    return {
        (sample.name, "/".join(filter(None, (sample.labels.get("alert"), sample.labels.get("state"))))): sample.value
        for family in text_string_to_metric_families(path.read_text())
        for sample in family.samples
    }


def test_a_run_as_metrics(tmp_path: Path) -> None:
    path = tmp_path / "ordinaut.prom"
    metrics.write(path, run_of(NOON, {"A": "firing", "B": "ok"}))
    told = samples(path)
    assert told["ordinaut_health_alert_state", "A/firing"] == told["ordinaut_health_alert_state", "B/ok"] == 1
    assert told["ordinaut_health_alert_state", "A/ok"] == told["ordinaut_health_alert_state", "B/unknown"] == 0
    assert told["ordinaut_health_alert_value", "A"] == 3
    assert told["ordinaut_health_alert_limit", "A"] == 2
    assert told["ordinaut_health_run_start_time_seconds", ""] == NOON.timestamp()
    assert told["ordinaut_health_run_duration_seconds", ""] == 0.5
    assert told["ordinaut_health_run_exit_status", ""] == 1


def test_promtool_accepts_them(tmp_path: Path) -> None:
    program = needs("promtool")
    path = tmp_path / "ordinaut.prom"
    metrics.write(path, run_of(NOON, {"A": "firing", "B": "ok", 'C"\\\n': "unknown"}))
    done = subprocess.run(
        [program, "check", "metrics"], input=path.read_text(), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_a_run_writes_them_whole_for_others_to_read(project: Project, judge: Judge, tmp_path: Path) -> None:
    path = tmp_path / "textfile" / "ordinaut.prom"
    path.parent.mkdir()
    umask = os.umask(0o077)  # the run inherits it, as it may cron's
    try:
        seen = judge(f"--metrics={path}", target=nowhere(tmp_path), cwd=project.folder)
    finally:
        os.umask(umask)
    assert seen.status == 1
    assert samples(path)["ordinaut_health_alert_state", "ItFires/firing"] == 1
    assert list(path.parent.iterdir()) == [path]
    assert path.stat().st_mode & 0o777 == 0o644


def test_metrics_that_cannot_be_written_cost_a_warning(project: Project, judge: Judge, tmp_path: Path) -> None:
    seen = judge(f"--metrics={tmp_path}/nowhere/x.prom", target=nowhere(tmp_path), cwd=project.folder)
    assert seen.status == 1
    assert "the metrics could not be written" in seen.output


# -- GitHub Actions


def test_an_annotation_is_one_command_whatever_it_says() -> None:
    results = run_of(NOON, {"A": "firing", "B": "ok"})
    results.alerts[0] = replace(results.alerts[0], message=EVIL)
    (line,) = github.commands(results)
    assert line.startswith("::error title=firing sev1 A::bad")
    assert "\n" not in line
    assert line.endswith("%0A::error::forged %250A")


def test_the_summary_shows_text_as_text() -> None:
    results = run_of(NOON, {"A": "firing", "B": "ok"})
    results.alerts[0] = replace(results.alerts[0], message=EVIL, causes=[Cause("a-cause", "a-cause", EVIL, {})])
    told = github.markdown(results)
    assert "<img" not in told
    assert "1 ok" in told
    rows = [line for line in told.splitlines() if line.startswith("| firing")]
    assert len(rows) == 1
    assert len(re.findall(r"(?<!\\)\|", rows[0])) == 6
    assert r"\[link\]" in rows[0]
    assert "runbooks/A.md#a-cause" in rows[0]


def test_what_is_silenced_is_a_warning() -> None:
    results = run_of(NOON, {"A": "silenced"})
    muted = Muted("silence", "me", "work", "2026-03-04T13:00:00Z")
    results.alerts[0] = replace(results.alerts[0], muted=muted)
    assert next(github.commands(results)).startswith("::warning title=silenced sev1 A::")


def test_a_step_of_github_actions_tells_both(project: Project, judge: Judge, tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("# what was there\n")
    seen = judge(target=nowhere(tmp_path), cwd=project.folder, GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(summary))
    assert "\n::error title=firing sev0 ItFires::it is bad" in seen.output
    assert summary.read_text().startswith("# what was there\n## Ordinaut: firing")
    assert "::error" not in judge(target=nowhere(tmp_path), cwd=project.folder, GITHUB_ACTIONS="").output


def test_what_a_log_says_is_no_command(project: Project, judge: Judge, tmp_path: Path) -> None:
    said = "::error::forged ##[error]forged"
    project.add_alert("it_fires", f'@trigger()\ndef test_it():\n    assert False, "it is bad\\n{said}"\n')
    seen = judge("-v", "-ra", target=nowhere(tmp_path), cwd=project.folder, GITHUB_ACTIONS="true")
    before, fenced, after = re.split(r"^::(?:stop-commands::)?[0-9a-f]{32}(?:::)?\n", seen.output, flags=re.MULTILINE)
    assert before == ""
    assert said in fenced
    assert after.startswith("::error title=firing sev0 ItFires::it is bad%0A")
    assert after.count("\n") == 1


# -- results.json where it is wanted


def test_the_results_are_written_where_a_pipeline_looks_for_them(
    project: Project, judge: Judge, tmp_path: Path
) -> None:
    path = tmp_path / "asked.json"
    seen = judge(f"--results={path}", target=nowhere(tmp_path), cwd=project.folder)
    assert json.loads(path.read_text()) == seen.results
    assert path.stat().st_mode & 0o777 == 0o600
    lost = judge(f"--results={tmp_path}/nowhere/x.json", target=nowhere(tmp_path), cwd=project.folder)
    assert lost.status == seen.status == 1
    assert "the results could not be written" in lost.output


# -- a dead man's switch


class _Switch(http.server.ThreadingHTTPServer):
    """A stand-in for healthchecks.io, which is not to be had here: it keeps what was asked for."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[str] = []
        self.answer = 200


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Switch

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.send_response(self.server.answer)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def switch() -> Iterator[_Switch]:
    with _Switch() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_the_ping_tells_the_exit_status(project: Project, judge: Judge, tmp_path: Path, switch: _Switch) -> None:
    url = f"--ping=http://127.0.0.1:{switch.server_port}/a-secret/"
    seen = judge(url, target=nowhere(tmp_path), cwd=project.folder)
    judge(url, "-k", "it_is_ok", target=nowhere(tmp_path), cwd=project.folder)
    assert switch.asked == ["/a-secret/1", "/a-secret/0"]
    assert "a-secret" not in seen.output


def test_a_ping_that_is_not_taken_costs_a_warning(
    project: Project, judge: Judge, tmp_path: Path, switch: _Switch
) -> None:
    switch.answer = 404
    url = f"--ping=http://127.0.0.1:{switch.server_port}/a-secret"
    seen = judge(url, "-k", "it_is_ok", target=nowhere(tmp_path), cwd=project.folder)
    assert seen.status == 0
    assert "the ping was not taken: it was answered 404" in seen.output
    refused = judge(
        "--ping=http://127.0.0.1:1/a-secret", "-k", "it_is_ok", target=nowhere(tmp_path), cwd=project.folder
    )
    assert refused.status == 0
    assert "the ping was not taken: ConnectError" in refused.output
    assert "a-secret" not in seen.output + refused.output


def test_the_url_of_the_ping_is_in_no_log(project: Project, judge: Judge, tmp_path: Path, switch: _Switch) -> None:
    url = f"--ping=http://127.0.0.1:{switch.server_port}/a-secret"
    seen = judge(url, "--log-cli-level=DEBUG", "-vv", target=nowhere(tmp_path), cwd=project.folder)
    assert switch.asked == ["/a-secret/1"]
    assert "a-secret" not in seen.output


@pytest.mark.parametrize("url", ["nonsense", "http://[::1", "http://a..b/a-secret", "http://127.0.0.1:99999/a-secret"])
def test_a_url_that_is_none_costs_a_warning(url: str) -> None:
    (complaint,) = ping.send(url, 0)
    assert complaint.startswith("the ping was not taken: ")
    assert "a-secret" not in complaint


def test_certificates_that_are_not_there_cost_a_warning(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "absent"))
    assert ping.send("https://127.0.0.1:1/a-secret", 0) == ["the ping was not taken: FileNotFoundError"]


def test_a_ping_that_is_answered_letter_by_letter_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        over = threading.Event()

        def dribble() -> None:
            connection, _ = server.accept()
            with connection:
                for letter in b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100:
                    connection.send(bytes([letter]))
                    if over.wait(0.2):
                        return

        thread = threading.Thread(target=dribble)
        thread.start()
        began = time.monotonic()
        told = ping.send(f"http://127.0.0.1:{server.getsockname()[1]}/a-secret", 0)
        took = time.monotonic() - began
        over.set()
        thread.join()
    assert told == ["the ping was not taken: no answer within 2 s"]
    assert took < ping.SECONDS + 1


# -- JUnit


def test_junit_has_the_alert_of_each_check(project: Project, judge: Judge, tmp_path: Path) -> None:
    seen = judge(target=nowhere(tmp_path), cwd=project.folder)
    assert seen.folder is not None
    cases = {case.get("name"): case for case in ET.parse(seen.folder / "junit.xml").iter("testcase")}
    told = {each.get("name"): each.get("value") for each in cases["test_why"].iter("property")}
    assert told == {
        "alert": "ItFires", "severity": "0", "role": "diagnostic", "state": "firing", "cause": "why",
        "runbook": "runbooks/ItFires.md",
    }  # fmt: skip


# -- the terminal


def test_the_terminal_says_since_when_why_and_what_to_do(project: Project, judge: Judge, tmp_path: Path) -> None:
    seen = judge(target=nowhere(tmp_path), cwd=project.folder)
    alert = seen.alert("ItFires")
    lines = [line.strip() for line in seen.output.splitlines()]
    place = lines.index("FIRING   sev0 ItFires  it is bad  runbooks/ItFires.md#why")
    assert lines[place + 1].startswith("cause    why: ")
    times = f"{alert['since']}, respond by {alert['respond_by']}, escalate at {alert['escalate_at']}"
    assert lines[place + 2] == f"since    {times}"
    assert "Traceback" not in seen.output


def test_a_quiet_run_says_one_line(project: Project, judge: Judge, tmp_path: Path) -> None:
    seen = judge("-q", "-k", "it_is_ok", target=nowhere(tmp_path), cwd=project.folder)
    told = [line for line in seen.output.splitlines() if "nowhere" in line]
    assert len(told) == 1
    assert told[0].startswith("nowhere: ok, 1 alert in ")


def test_a_recovery_is_told(project: Project, judge: Judge, tmp_path: Path) -> None:
    judge(target=nowhere(tmp_path), cwd=project.folder)
    project.add_alert("it_fires", "@trigger()\ndef test_it():\n    pass\n")
    assert ", recovered: ItFires;" in judge(target=nowhere(tmp_path), cwd=project.folder).output
