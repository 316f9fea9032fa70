from __future__ import annotations

import json
import os
import shutil
import subprocess
import urllib.request
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest
from msgspec.structs import asdict

from playbook.alert import Alert
from playbook.limits import NoLimits, minutes
from playbook.probe import PROBES
from playbook.suppression import FAILING_SINCE, WATCHERS, Held, Watchers, suppression_of
from playbook.target import TARGET
from reports.history import FILE, History
from reports.results import AlertResult, Results, Selection, stamp
from sandbox.polling import require, until
from sandbox.processes import free_port
from tests.conftest import needs
from tests.projects import NOWHERE, Project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Judge, Judgement

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
def project(project: Project) -> Project:
    lasting = CHECKS + "\nfrom msgspec.structs import replace\nALERT = replace(ALERT, for_=minutes(2))\n"
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
    suppressed = seen.alert("ItFires")["suppressed"]
    assert (suppressed["kind"], suppressed["by"]) == ("exemption", "the platform team")
    assert suppressed["until"] == f"{day + timedelta(days=1)}T00:00:00Z"
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
def test_an_exemption_that_is_wrong_stops_the_run(
    project: Project, judge: Judge, tmp_path: Path, text: str, words: str
) -> None:
    seen = judge(target=target(tmp_path, text), cwd=project.folder)
    assert seen.status == 4
    assert words in seen.output


def test_an_exemption_lasts_to_the_end_of_its_day(project: Project, judge: Judge, tmp_path: Path) -> None:
    today = datetime.now(UTC).date()
    assert judge(target=target(tmp_path, EXEMPTION.format(until=today)), cwd=project.folder).status == 0


# -- `for`, by this suite's earlier runs


def history_of(output: Path, *minutes_ago: int) -> None:
    """Record runs in which the alert held."""
    for ago in minutes_ago:
        moment = datetime.now(UTC) - timedelta(minutes=ago)
        History(output).record(pending_at(moment), "", 1000)


def pending_at(moment: datetime) -> Results:
    """Return the results of a run in which the alert was pending."""
    about = Alert(
        name="ItFires", severity=0, trigger="it is bad", impact="harm", for_=minutes(2), respond_within=minutes(5),
        escalate_after=minutes(15),
    ).describe(NoLimits())  # fmt: skip
    alert = AlertResult(
        **asdict(about), state="pending", since=stamp(moment), measured=None, limit=None, message="it is bad",
        caused_by=None, causes=[], respond_by=None, escalate_at=None, checks=[],
    )  # fmt: skip
    return Results(
        target="nowhere", timezone="UTC", started_at=stamp(moment), finished_at=stamp(moment), duration_seconds=0.5,
        complete=True, verdict="ok", exit_status=0, selection=Selection("", "", [], partial=False), alerts=[alert],
    )  # fmt: skip


@pytest.mark.parametrize("processes", [(), ("-n", "2")])
def test_an_alert_whose_condition_holds_for_the_first_time_is_pending(
    project: Project, judge: Judge, tmp_path: Path, processes: tuple[str, ...]
) -> None:
    seen = judge("--honor-for", *processes, target=target(tmp_path, ""), cwd=project.folder)
    assert seen.status == 0
    assert states_of(seen) == ["pending", "pending", "ok"]
    assert seen.alert("ItFires")["suppressed"]["kind"] == "for"


@pytest.mark.parametrize("processes", [(), ("-n", "2")])
def test_an_alert_whose_condition_has_held_for_long_enough_fires(
    project: Project, judge: Judge, tmp_path: Path, processes: tuple[str, ...]
) -> None:
    history_of(tmp_path / "output", 5)
    seen = judge("--honor-for", *processes, target=target(tmp_path, ""), cwd=project.folder)
    assert seen.status == 1
    assert seen.alert("ItFires")["suppressed"] is None


@pytest.mark.parametrize("processes", [(), ("-n", "2")])
def test_an_alert_fires_where_its_run_cannot_be_recorded(
    project: Project, judge: Judge, tmp_path: Path, processes: tuple[str, ...]
) -> None:
    (tmp_path / "output" / FILE).mkdir(parents=True)  # nobody writes to a folder as to a file, not even root
    for _ in range(2):
        seen = judge("--honor-for", *processes, target=target(tmp_path, ""), cwd=project.folder)
        assert seen.status == 1
        message = seen.alert("ItFires")["message"]
        assert "how long it has held is unknown: the history cannot be written: " in message
        assert seen.output.count("the history could not be ") == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
@pytest.mark.parametrize("left", [0, 16 * 1024, 256 * 1024], ids=["none", "a-little", "more"])
def test_an_alert_fires_where_the_disk_is_full(project: Project, judge: Judge, tmp_path: Path, left: int) -> None:
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


def test_without_the_option_an_alert_fires_at_once(project: Project, judge: Judge, tmp_path: Path) -> None:
    assert judge(target=target(tmp_path, ""), cwd=project.folder).status == 1


def test_a_gap_between_the_runs_starts_for_anew(project: Project, judge: Judge, tmp_path: Path) -> None:
    history_of(tmp_path / "output", 100, 95, 90, 85)
    assert judge("--honor-for", target=target(tmp_path, ""), cwd=project.folder).status == 0


def test_an_alert_without_for_fires_at_once(project: Project, judge: Judge, tmp_path: Path) -> None:
    project.add_alert("it_fires", CHECKS)
    assert judge("--honor-for", target=target(tmp_path, ""), cwd=project.folder).status == 1


# -- the silences of a real Alertmanager

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
    suppressed = seen.alert("ItFires")["suppressed"]
    assert (suppressed["kind"], suppressed["by"]) == ("silence", "the night watch")
    assert silence[:8] in suppressed["reason"]
    assert judge(*arguments, target=path, cwd=project.folder).status == 1  # without the flag


@pytest.mark.parametrize("silence", ["[[:alpha:]]+", r"\pL+"], indirect=True)
def test_an_alert_fires_where_a_silence_cannot_be_read(
    project: Project, judge: Judge, tmp_path: Path, alertmanager: str, silence: str
) -> None:
    arguments = (f"--alertmanager-url={alertmanager}", "--honor-silences")
    seen = judge(*arguments, target=target(tmp_path, ""), cwd=project.folder)
    assert seen.status == 1, seen.output
    assert f"whether it is silenced is unknown: silence {silence[:8]}" in seen.alert("ItFires")["message"]


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


def test_an_alert_fires_where_alertmanager_cannot_be_asked(project: Project, judge: Judge, tmp_path: Path) -> None:
    path = target(tmp_path, "")
    seen = judge("--honor-silences", "--alertmanager-url=http://127.0.0.1:1", target=path, cwd=project.folder)
    assert seen.status == 1
    assert "whether it is silenced is unknown" in seen.alert("ItFires")["message"]


def test_a_target_without_alertmanager_has_no_silences(project: Project, judge: Judge, tmp_path: Path) -> None:
    seen = judge("--honor-silences", target=target(tmp_path, ""), cwd=project.folder)
    assert (seen.status, seen.alert("ItFires")["message"]) == (1, "it is bad")


# -- `for`, by what Prometheus and earlier runs say

ABOUT = Alert(
    name="ItFires", severity=0, trigger="it is bad", impact="harm", for_=minutes(2), respond_within=minutes(5),
    escalate_after=minutes(15),
)  # fmt: skip


def pending_by(active_minutes: float | None, held_minutes: float, interval_minutes: float = 5) -> str | None:
    """Return by whom the alert is pending, None where it fires; Prometheus may not know it."""
    now = datetime.now(UTC)
    active = {} if active_minutes is None else {"ItFires": now - timedelta(minutes=active_minutes)}
    held = Held(now - timedelta(minutes=held_minutes), timedelta(minutes=interval_minutes))
    session: Any = SimpleNamespace(
        config=SimpleNamespace(option=SimpleNamespace(honor_for=True, honor_silences=False)),
        stash={
            TARGET: SimpleNamespace(exemptions={}), WATCHERS: Watchers(Mock(), Mock()),
            PROBES: SimpleNamespace(fact=lambda _: active), FAILING_SINCE: lambda *_: held,
        },
    )  # fmt: skip
    why = suppression_of(session, ABOUT)
    return why.by if why else None


@pytest.mark.parametrize(
    ("active", "held", "by"),
    [
        (1, 0, "Prometheus"), (3, 0, None), (None, 1, "earlier runs"), (None, 3, None),
        (1, 3, "Prometheus"),  # it has looked more often
        (1, 8, None),  # it begins anew again and again
        (-60, 1, "earlier runs"), (-60, 3, None), (-60 * 24 * 365, 3, None),  # its clock is wrong
    ],
)  # fmt: skip
def test_an_alert_is_pending_for_its_for_and_one_interval_at_most(
    active: float | None, held: float, by: str | None
) -> None:
    assert pending_by(active, held) == by


# -- `for`, by a real Prometheus

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
HOLDS_FOR = """
from msgspec.structs import replace
from playbook.quantities import Span
ALERT = replace(ALERT, for_=Span({seconds}))
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
        until(lambda: require_active_for_a_second(address), 30)
        yield f"http://{address}"


def require_active_for_a_second(address: str) -> None:
    active = json.loads(asked(f"http://{address}/api/v1/alerts", "GET"))["data"]["alerts"]
    require(active, "no alert is active")
    since = datetime.fromisoformat(active[0]["activeAt"])
    require(datetime.now(UTC) - since >= timedelta(seconds=1), f"active since {since}")


@pytest.mark.parametrize(("seconds", "status"), [(0.9, 1), (3600, 0)])
def test_prometheus_knows_how_long_the_condition_has_held(
    project: Project, judge: Judge, tmp_path: Path, prometheus: str, seconds: float, status: int
) -> None:
    project.add_alert("it_fires", CHECKS + HOLDS_FOR.format(seconds=seconds))
    seen = judge("--honor-for", f"--prometheus-url={prometheus}", target=target(tmp_path, ""), cwd=project.folder)
    assert seen.status == status
    suppressed = seen.alert("ItFires")["suppressed"]
    assert (suppressed and suppressed["by"]) == (None if status else "Prometheus")


def test_earlier_runs_count_where_prometheus_does_not_know_the_alert(
    project: Project, judge: Judge, tmp_path: Path, prometheus: str
) -> None:
    project.add_alert("other", CHECKS + HOLDS_FOR.format(seconds=0.9))
    seen = judge("--honor-for", f"--prometheus-url={prometheus}", target=target(tmp_path, ""), cwd=project.folder)
    assert seen.alert("Other")["suppressed"]["by"] == "earlier runs"
