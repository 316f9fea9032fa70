from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
import urllib.request
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from fixtures.clients.alertmanager import Matcher, Silence
from playbook.evidence import Unknown
from reports.history import FILE, History
from tests.conftest import needs
from tests.projects import NOWHERE, Project
from tests.ssh import free_port
from tests.test_history import run_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Judge, Judgement

LABELS = {"alertname": "ItFires", "severity": "critical", "service": "api"}
NOW = datetime.now(UTC)


# -- which silences hide what


@pytest.mark.parametrize(
    ("matcher", "matches"),
    [
        (Matcher("alertname", "ItFires"), True),
        (Matcher("alertname", "It"), False),
        (Matcher("alertname", "It.*", is_regex=True), True),
        (Matcher("alertname", "Fires", is_regex=True), False),
        (Matcher("alertname", "ItFires", is_equal=False), False),
        (Matcher("alertname", "Other", is_equal=False), True),
        (Matcher("alertname", "Other|ItFires", is_regex=True, is_equal=False), False),
        (Matcher("instance", ""), True),
        (Matcher("instance", "a"), False),
        (Matcher("instance", ".+", is_regex=True), False),
        (Matcher("severity", "critical|warning", is_regex=True), True),
    ],
)
def test_a_matcher_is_read_as_alertmanager_reads_it(matcher: Matcher, matches: bool) -> None:
    assert matcher.matches(LABELS) is matches


@pytest.mark.parametrize("value", ["[[:alpha:]]+", r"\pL+", "(?U)It.*", r"\QItFires\E"])
def test_an_expression_that_is_gos_alone_is_not_read_as_another(value: str) -> None:
    matcher = Matcher("alertname", value, is_regex=True)
    with pytest.raises(Unknown, match="is Go's"):
        matcher.matches(LABELS)
    both = Silence("1", (matcher, Matcher("service", "worker")), "me", "why", NOW, NOW)
    assert not both.hides(LABELS)  # whatever the first one means
    with pytest.raises(Unknown, match="silence 1"):
        Silence("1", (matcher, Matcher("service", "api")), "me", "why", NOW, NOW).hides(LABELS)


def test_every_matcher_must_match() -> None:
    both = (Matcher("alertname", "ItFires"), Matcher("service", "worker"))
    assert not Silence("1", both, "me", "why", NOW, NOW).hides(LABELS)
    assert Silence("1", both[:1], "me", "why", NOW, NOW).hides(LABELS)


# -- exemptions

CHECKS = """
@trigger()
def test_it():
    assert False, "it is bad"

@diagnostic(cause="bad-luck", step=1)
def test_luck():
    assert False, "no luck"

@diagnostic(cause="no-cause", step=2)
def test_nothing():
    pass
"""
EXEMPTION = """
[exemptions.ItFires]
reason = "the new disk comes on Friday"
owner = "the platform team"
until = {until}
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(tmp_path / "project")
    lasting = CHECKS + "\nfrom msgspec.structs import replace\nALERT = replace(ALERT, lasts=minutes(2))\n"
    project.add_alert("it_fires", lasting)
    return project


def target(folder: Path, text: str) -> Path:
    path = folder / "target.toml"
    path.write_text(NOWHERE + text)
    return path


def states_of(seen: Judgement) -> list[str]:
    return [check["outcome"] for check in seen.alert("ItFires")["checks"]]


@pytest.mark.parametrize("processes", [(), ("-n", "2")])
def test_an_exempted_alert_is_silenced_and_shown(
    project: Project, judge: Judge, tmp_path: Path, processes: tuple[str, ...]
) -> None:
    day = (datetime.now(UTC) + timedelta(days=1)).date()
    seen = judge(*processes, target=target(tmp_path, EXEMPTION.format(until=day)), cwd=project.folder)
    assert seen.status == 0
    assert states_of(seen) == ["silenced", "silenced", "ok"]
    muted = seen.alert("ItFires")["muted"]
    assert (muted["kind"], muted["by"]) == ("exemption", "the platform team")
    assert muted["until"] == f"{day + timedelta(days=1)}T00:00:00Z"
    assert seen.alert("ItFires")["causes"][0]["name"] == "bad-luck"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (EXEMPTION.format(until="2020-01-31"), "exemptions.ItFires: it expired on 2020-01-31"),
        (EXEMPTION.format(until="9999-01-31").replace("ItFires", "Itfires2"), "exemptions.Itfires2: there is no alert"),
        (EXEMPTION.format(until="9999-01-31").replace("ItFires", "itfires"), "exemptions.itfires: there is no alert"),
        (EXEMPTION.format(until="9999-01-31").replace("the platform team", " "), "it needs a reason and an owner"),
        ('[exemptions.ItFires]\nreason = "x"\nowner = "y"', "missing required field `until`"),
        (EXEMPTION.format(until='"soon"'), "Invalid RFC3339"),
    ],
)
def test_an_exemption_that_hides_for_ever_or_nothing_stops_the_run(
    project: Project, judge: Judge, tmp_path: Path, text: str, words: str
) -> None:
    seen = judge(target=target(tmp_path, text), cwd=project.folder)
    assert seen.status == 4
    assert words in seen.output


def test_an_exemption_lasts_to_the_end_of_its_day(project: Project, judge: Judge, tmp_path: Path) -> None:
    today = datetime.now(UTC).date()
    assert judge(target=target(tmp_path, EXEMPTION.format(until=today)), cwd=project.folder).status == 0


# -- `for`, from this suite's own runs


def history_of(output: Path, *minutes_ago: int) -> None:
    """Record runs in which the alert held."""
    for ago in minutes_ago:
        moment = datetime.now(UTC) - timedelta(minutes=ago)
        results = run_of(moment, {"ItFires": "pending"}, target="nowhere")
        History(output).record(results, "", 1000)


@pytest.mark.parametrize("processes", [(), ("-n", "2")])
def test_what_holds_for_the_first_time_is_pending(
    project: Project, judge: Judge, tmp_path: Path, processes: tuple[str, ...]
) -> None:
    seen = judge("--honor-for", *processes, target=target(tmp_path, ""), cwd=project.folder)
    assert seen.status == 0
    assert states_of(seen) == ["pending", "pending", "ok"]
    assert seen.alert("ItFires")["muted"]["kind"] == "for"


@pytest.mark.parametrize("processes", [(), ("-n", "2")])
def test_what_has_held_for_long_enough_fires(
    project: Project, judge: Judge, tmp_path: Path, processes: tuple[str, ...]
) -> None:
    history_of(tmp_path / "output", 5)
    seen = judge("--honor-for", *processes, target=target(tmp_path, ""), cwd=project.folder)
    assert seen.status == 1
    assert seen.alert("ItFires")["muted"] is None


@pytest.mark.parametrize("processes", [(), ("-n", "2")])
def test_what_cannot_be_recorded_is_not_held_back(
    project: Project, judge: Judge, tmp_path: Path, processes: tuple[str, ...]
) -> None:
    (tmp_path / "output" / FILE).mkdir(parents=True)  # nobody writes to a folder as to a file, not even root
    for _ in range(2):
        seen = judge("--honor-for", *processes, target=target(tmp_path, ""), cwd=project.folder)
        assert seen.status == 1
        told = seen.alert("ItFires")["message"]
        assert "for how long it has held could not be told: the history cannot be written: " in told
        assert seen.output.count("the history could not be ") == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
@pytest.mark.parametrize("left", [0, 16 * 1024, 256 * 1024], ids=["none", "a-little", "more"])
def test_on_a_full_disk_nothing_is_held_back(project: Project, judge: Judge, tmp_path: Path, left: int) -> None:
    output = tmp_path / "output"
    output.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(output)], check=True)
    try:
        assert judge("--honor-for", target=target(tmp_path, ""), cwd=project.folder).status == 0
        with (output / "filler").open("wb") as file:
            file.write(bytes(shutil.disk_usage(output).free - left))
        assert judge("--honor-for", target=target(tmp_path, ""), cwd=project.folder).status == 1
    finally:
        subprocess.run(["umount", str(output)], check=True)


def test_without_the_flag_what_holds_now_fires(project: Project, judge: Judge, tmp_path: Path) -> None:
    assert judge(target=target(tmp_path, ""), cwd=project.folder).status == 1


def test_a_run_of_failures_that_was_broken_begins_anew(project: Project, judge: Judge, tmp_path: Path) -> None:
    history_of(tmp_path / "output", 100, 95, 90, 85)
    assert judge("--honor-for", target=target(tmp_path, ""), cwd=project.folder).status == 0


def test_an_alert_that_need_not_last_fires_at_once(project: Project, judge: Judge, tmp_path: Path) -> None:
    project.add_alert("it_fires", CHECKS)
    assert judge("--honor-for", target=target(tmp_path, ""), cwd=project.folder).status == 1


# -- silences, of a real Alertmanager

CONFIGURATION = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"


@pytest.fixture(scope="session")
def alertmanager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real Alertmanager."""
    program = needs("prometheus-alertmanager")
    folder = tmp_path_factory.mktemp("alertmanager")
    (folder / "configuration.yml").write_text(CONFIGURATION)
    address = f"127.0.0.1:{free_port()}"
    with running(
        program, f"--config.file={folder / 'configuration.yml'}", f"--storage.path={folder / 'data'}",
        f"--web.listen-address={address}", "--cluster.listen-address=", ready=f"http://{address}/-/ready",
    ):  # fmt: skip
        yield f"http://{address}"


@contextmanager
def running(*command: str, ready: str) -> Iterator[None]:
    """Run a server of ours for as long as it is needed."""
    run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        subprocess.run(
            ["curl", "--silent", "--fail", "--retry", "100", "--retry-delay", "0", "--retry-all-errors",
             "--retry-max-time", "30", ready], check=True, capture_output=True,
        )  # fmt: skip
        yield
    finally:
        run.terminate()
        run.wait()


@pytest.fixture(params=["ItFi.*"])
def silence(alertmanager: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """A silence of the alert, as the API takes it; ends with the test."""
    matchers = [{"name": "alertname", "value": request.param, "isRegex": True, "isEqual": True}]
    body = {
        "matchers": matchers, "createdBy": "the night watch", "comment": "token=ghp_0123456789abcdef and <i>work</i>",
        "startsAt": datetime.now(UTC).isoformat(), "endsAt": (datetime.now(UTC) + timedelta(hours=1)).isoformat(),
    }  # fmt: skip
    identity = json.loads(asked(f"{alertmanager}/api/v2/silences", "POST", body))["silenceID"]
    yield identity
    asked(f"{alertmanager}/api/v2/silence/{identity}", "DELETE")


def asked(url: str, method: str, body: object = None) -> str:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=5) as answer:
        text: str = answer.read().decode()
        return text


@pytest.mark.parametrize("processes", [(), ("-n", "2")])
def test_an_active_silence_silences(
    project: Project, judge: Judge, tmp_path: Path, alertmanager: str, silence: str, processes: tuple[str, ...]
) -> None:
    path = target(tmp_path, "")
    arguments = (f"--alertmanager-url={alertmanager}", *processes)
    seen = judge("--honor-silences", *arguments, target=path, cwd=project.folder)
    assert seen.status == 0, seen.output
    assert states_of(seen) == ["silenced", "silenced", "ok"]
    muted = seen.alert("ItFires")["muted"]
    assert (muted["kind"], muted["by"]) == ("silence", "the night watch")
    assert silence[:8] in muted["reason"]
    assert judge(*arguments, target=path, cwd=project.folder).status == 1  # without the flag


@pytest.mark.parametrize("silence", ["[[:alpha:]]+", r"\pL+"], indirect=True)
def test_where_a_silence_cannot_be_read_it_fires_and_says_so(
    project: Project, judge: Judge, tmp_path: Path, alertmanager: str, silence: str
) -> None:
    arguments = (f"--alertmanager-url={alertmanager}", "--honor-silences")
    seen = judge(*arguments, target=target(tmp_path, ""), cwd=project.folder)
    assert seen.status == 1, seen.output
    assert f"whether it is silenced could not be told: silence {silence[:8]}" in seen.alert("ItFires")["message"]


def test_a_silence_of_another_alert_hides_nothing(
    project: Project, judge: Judge, tmp_path: Path, alertmanager: str, silence: str
) -> None:
    assert silence
    project.add_alert("other", CHECKS)
    path = target(tmp_path, "")
    seen = judge("--honor-silences", f"--alertmanager-url={alertmanager}", target=path, cwd=project.folder)
    assert seen.status == 1
    assert seen.in_state("firing") == {"Other"}


def test_a_silence_that_ended_hides_nothing(project: Project, judge: Judge, tmp_path: Path, alertmanager: str) -> None:
    path = target(tmp_path, "")
    seen = judge("--honor-silences", f"--alertmanager-url={alertmanager}", target=path, cwd=project.folder)
    assert seen.status == 1


def test_where_alertmanager_cannot_be_asked_it_fires_and_says_so(
    project: Project, judge: Judge, tmp_path: Path
) -> None:
    path = target(tmp_path, "")
    seen = judge("--honor-silences", "--alertmanager-url=http://127.0.0.1:1", target=path, cwd=project.folder)
    assert seen.status == 1
    assert "whether it is silenced could not be told" in seen.alert("ItFires")["message"]


def test_a_target_without_alertmanager_has_no_silences(project: Project, judge: Judge, tmp_path: Path) -> None:
    seen = judge("--honor-silences", target=target(tmp_path, ""), cwd=project.folder)
    assert (seen.status, seen.alert("ItFires")["message"]) == (1, "it is bad")


# -- `for`, from a real Prometheus

PROMETHEUS = """
global: {evaluation_interval: 1s}
rule_files: [rules.yml]
"""
RULES = """
groups:
  - name: ours
    rules:
      - {alert: ItFires, expr: "vector(1) > 0"}
"""
LASTS = """
from msgspec.structs import replace
from playbook.quantities import Span
ALERT = replace(ALERT, lasts=Span({seconds}))
"""


@pytest.fixture(scope="session")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real Prometheus in which the alert has been active for a second or more."""
    program = needs("prometheus")
    folder = tmp_path_factory.mktemp("prometheus")
    (folder / "prometheus.yml").write_text(PROMETHEUS)
    (folder / "rules.yml").write_text(RULES)
    address = f"127.0.0.1:{free_port()}"
    with running(
        program, f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={address}", ready=f"http://{address}/-/ready",
    ):  # fmt: skip
        ends = time.monotonic() + 30
        while "activeAt" not in asked(f"http://{address}/api/v1/alerts", "GET"):
            assert time.monotonic() < ends
            time.sleep(0.1)
        time.sleep(1)
        yield f"http://{address}"


@pytest.mark.parametrize(("seconds", "status"), [(0.9, 1), (3600, 0)])
def test_prometheus_knows_for_how_long_it_has_held(
    project: Project, judge: Judge, tmp_path: Path, prometheus: str, seconds: float, status: int
) -> None:
    project.add_alert("it_fires", CHECKS + LASTS.format(seconds=seconds))
    seen = judge("--honor-for", f"--prometheus-url={prometheus}", target=target(tmp_path, ""), cwd=project.folder)
    assert seen.status == status
    muted = seen.alert("ItFires")["muted"]
    assert (muted and muted["by"]) == (None if status else "Prometheus")


def test_what_prometheus_does_not_know_is_told_by_our_own_runs(
    project: Project, judge: Judge, tmp_path: Path, prometheus: str
) -> None:
    project.add_alert("other", CHECKS + LASTS.format(seconds=0.9))
    seen = judge("--honor-for", f"--prometheus-url={prometheus}", target=target(tmp_path, ""), cwd=project.folder)
    assert seen.alert("Other")["muted"]["by"] == "this suite's runs"
