"""Silences, created in and listed from a real Alertmanager."""

from __future__ import annotations

import os
import subprocess
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from reports.commands.silences import main
from sandbox.breaking import break_stack
from sandbox.faults import FAULTS
from sandbox.http import CLIENT
from sandbox.monitoring.stack import EXTRA
from sandbox.polling import require, until
from sandbox.target import FILE
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo
    from pathlib import Path

    from sandbox.embedded import EmbeddedStack
    from tests.conftest import Judge

ALERT, WHY = "HighQueueDepth", 'it\'s $(the) "night" of the migration'


@pytest.fixture
def quiet(watched: EmbeddedStack) -> Iterator[str]:
    """The target of a sandbox whose silences end with the test."""
    yield f"--target={watched.folder / FILE}"
    watched.monitoring.lift_silences()


@pytest.fixture
def nowhere(tmp_path: Path) -> str:
    path = tmp_path / "nowhere.toml"
    path.write_text(
        'alertmanager_url = "http://me:s3cret-word@127.0.0.1:1"\n[limits.SilenceTooBroad]\nmax_duration = "2h"\n'
    )
    return f"--target={path}"


def test_a_created_silence_silences_its_alert_and_is_ok(
    quiet: str, watched: EmbeddedStack, judge: Judge, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([quiet, f"--alert={ALERT}", "--for=4h", f"--comment={WHY}"]) == 0
    [made] = watched.monitoring.active_silences()
    assert [(m["name"], m["value"], m["isRegex"]) for m in made["matchers"]] == [("alertname", ALERT, False)]
    assert (made["comment"], bool(made["createdBy"])) == (WHY, True)
    said = capsys.readouterr().out
    assert f'{{alertname="{ALERT}"}} until {made["endsAt"][:19]}Z by {made["createdBy"]}: {WHY}' in said
    assert f"hides {ALERT}; its id is {made['id']}" in said
    break_stack(watched, FAULTS["queue-deep"])
    seen = judge("--honor-silences", "-k", "high_queue or silence_too", target=watched.folder / FILE)
    assert (seen.alert(ALERT)["state"], seen.alert("SilenceTooBroad")["state"]) == ("silenced", "ok")


def test_silences_are_listed_with_their_problems(
    quiet: str, watched: EmbeddedStack, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([quiet]) == 0
    assert capsys.readouterr().out == "no silence is active\n"
    watched.monitoring.silence({"alertname": ".+"}, "", timedelta(hours=48))
    assert main([quiet]) == 0
    said = capsys.readouterr().out
    assert "hides OrchestratorAPIDown" in said.replace("NoActiveWorkers, ", "")
    for problem in ("matches everything", "hides severity 0", "too long", "without a comment"):
        assert f"SilenceTooBroad: {problem}: silence " in said


def test_a_silence_by_a_label_that_prometheus_adds_matches_everything(
    quiet: str, watched: EmbeddedStack, judge: Judge, capsys: pytest.CaptureFixture[str]
) -> None:
    watched.monitoring.silence({"cluster": "personal-orchestrator"}, WHY, timedelta(hours=1))
    alert = judge("-k", "silence_too", target=watched.folder / FILE).alert("SilenceTooBroad")
    assert (alert["state"], alert["causes"][0]["name"]) == ("firing", "matches-everything")
    assert main([quiet]) == 0
    assert "SilenceTooBroad: matches everything: silence " in capsys.readouterr().out


RULE = "groups: [{{name: extra, rules: [{{alert: {name}, expr: vector(1), labels: {{severity: page, zone: z1}}}}]}}]"


@pytest.mark.parametrize(("name", "state"), [("NoActiveWorkers", "firing"), ("SomethingElse", "ok")])
def test_a_silenced_alert_that_fires_is_named(
    name: str, state: str, quiet: str, watched: EmbeddedStack, judge: Judge
) -> None:
    def is_silenced() -> None:
        found = watched.monitoring.ask("alertmanager", "/api/v2/alerts", silenced="true", active="false")
        require([each["labels"]["alertname"] for each in found] == [name], f"silenced are {found}")

    assert quiet
    watched.monitoring.silence({"zone": "z1"}, WHY, timedelta(hours=1))
    watched.monitoring.write_rules(EXTRA, RULE.format(name=name))
    try:
        until(is_silenced, 30)
        alert = judge("-k", "silence_too", target=watched.folder / FILE).alert("SilenceTooBroad")
    finally:
        watched.monitoring.write_rules(EXTRA, "")
    [said] = [check for check in alert["checks"] if check["cause"] == "hides-a-firing-alert"]
    assert (alert["state"], said["outcome"]) == (state, "firing" if state == "firing" else "noted")
    assert f"hides {name}" in said["message"]
    assert ("hides severity 0" in alert["message"]) is (state == "firing")


def test_what_a_silence_hides_is_unknown_without_prometheus(quiet: str, watched: EmbeddedStack, judge: Judge) -> None:
    assert main([quiet, f"--alert={ALERT}", "--for=1h", f"--comment={WHY}"]) == 0
    watched.monitoring.prometheus.stop()
    try:
        seen = judge("-k", "silence_too or prometheus_down", target=watched.folder / FILE)
        watched.monitoring.lift_silences()
        unsilenced = judge("-k", "silence_too", target=watched.folder / FILE)
    finally:
        watched.monitoring.prometheus.start()
    alert = seen.alert("SilenceTooBroad")
    assert (alert["state"], alert["caused_by"]) == ("unknown", "PrometheusDown")
    assert unsilenced.alert("SilenceTooBroad")["state"] == "ok"


class Ahead(datetime):
    """The clock of a machine that is a minute ahead of Alertmanager's."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Ahead:
        return super().now(tz) + timedelta(minutes=1)


def test_a_silence_that_has_not_begun_is_shown(
    quiet: str, watched: EmbeddedStack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("reports.commands.silences.datetime", Ahead)
    assert main([quiet, f"--alert={ALERT}", "--for=1h", f"--comment={WHY}"]) == 0
    said = capsys.readouterr().out
    assert f"hides {ALERT}; its id is " in said
    url = f"{watched.monitoring.url('alertmanager')}/api/v2/silence/{said.strip().rpartition(' ')[2]}"
    assert CLIENT.get(url, timeout=2).json()["status"]["state"] == "pending"
    CLIENT.delete(url, timeout=2).raise_for_status()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--alert=HighQueueDepht", "--for=1h", "--comment=why"), "there is no alert 'HighQueueDepht'"),
        (("--alert=NoActiveWorkers", "--for=1h", "--comment=why"), "the system is down"),
        ((f"--alert={ALERT}", "--for=1h", "--comment= "), "give the reason"),
        ((f"--alert={ALERT}", "--for=1h"), "give the reason"),
        ((f"--alert={ALERT}", "--for=3h", "--comment=why"), "a silence lasts at most 2 h, not 3 h"),
        ((f"--alert={ALERT}", "--for=0h", "--comment=why"), "a silence lasts at most 2 h, not 0 ms"),
        ((f"--alert={ALERT}", "--for=soon", "--comment=why"), "'soon' is not a duration"),
        ((f"--alert={ALERT}", "--comment=why"), "'' is not a duration"),
        (("--alert=", "--for=", "--comment="), "name an alert: ALERT is one of "),
    ],
)
def test_a_bad_silence_is_refused(
    nowhere: str, arguments: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([nowhere, *arguments])
    assert ended.value.code == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [(), (f"--alert={ALERT}", "--for=1h", "--comment=why")])
def test_an_alertmanager_that_is_down_is_named(
    nowhere: str, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([nowhere, *arguments]) == 1
    said = capsys.readouterr().err
    assert "refused the connection" in said
    assert "s3cret-word" not in said


def test_a_target_without_alertmanager_is_a_usage_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "target.toml"
    path.write_text('api_url = "http://127.0.0.1:1"\n')
    with pytest.raises(SystemExit):
        main([f"--target={path}"])
    assert "this target has no Alertmanager: set alertmanager_url" in capsys.readouterr().err


def test_make_passes_on_every_word(nowhere: str) -> None:
    command = ["make", "silence", f"ALERT={ALERT}", "FOR=1h", 'COMMENT=it\'s "two" words; exit', f"ARGS={nowhere}"]
    done = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, timeout=60, check=False)
    assert "refused the connection" in done.stderr, done.stderr
