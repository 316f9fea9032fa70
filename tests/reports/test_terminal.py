"""The block after the dots, as a person reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from playbook.evidence import Evidence
from playbook.outcome import Measured, Suppression
from reports import terminal
from reports.results import Cause, Changes, CheckResult, Point, Recovered, stamp
from tests.projects import nowhere
from tests.reports.samples import NOON, alert, run_of

if TYPE_CHECKING:
    from pathlib import Path

    from playbook.outcome import State
    from reports.results import AlertResult, Results
    from tests.conftest import Judge
    from tests.projects import Project

ESCAPE = "\x1b]0;a window's name\x07"


class Terminal:
    """What pytest's reporter does for us, as plain lines."""

    def __init__(self, verbose: int = 0) -> None:
        self.config = self
        self.option = self
        self.verbose = verbose
        self.text = ""

    def write(self, text: str, **_: Any) -> None:
        self.text += text

    def write_line(self, text: str, **_: Any) -> None:
        self.text += f"{text}\n"

    def write_sep(self, _: str, text: str, **__: Any) -> None:
        self.text += f"== {text}\n"


def lines(
    results: Results, folder: Path | None = None, complaints: list[str] | None = None, verbose: int = 0
) -> list[str]:
    terminal_ = Terminal(verbose)
    terminal.write(terminal_, results, folder, complaints or [])
    return terminal_.text.splitlines()


def of(alert: AlertResult, *others: AlertResult) -> Results:
    return run_of(NOON, {}, verdict="firing", exit_status=1, alerts=[alert, *others])


def check(outcome: State, message: str = "look here", *evidence: Evidence) -> CheckResult:
    return CheckResult("a::b", "diagnostic", [1], outcome, "a-cause", "It is so.", message, 1.0, list(evidence))


def test_a_run_that_is_ok_is_one_line(tmp_path: Path) -> None:
    written = lines(run_of(NOON, {"A": "ok", "B": "ok", "C": "skipped"}), tmp_path)
    assert written == [f"mine OK: 2 alerts (1 skipped) in 0.5 s; report: {tmp_path}/report.html"]


def test_an_unknown_run_counts_what_is_unknown() -> None:
    results = run_of(NOON, {"A": "unknown", "B": "ok"}, verdict="unknown", exit_status=6)
    assert lines(results)[-1] == "mine UNKNOWN: 1 of 2 alerts in 0.5 s"


def test_a_firing_alert_has_measurement_cause_times_and_runbook() -> None:
    fires = alert(
        "firing", causes=[Cause("a-cause", "a-cause", "worker-1 is gone", {})],
        respond_by="2026-03-04T12:05:00Z", escalate_at="2026-03-04T12:15:00Z",
    )  # fmt: skip
    assert lines(of(fires)) == [
        "== mine FIRING: 1 of 1 alert",
        "FIRING   sev1 AnAlert  why (measured 3 s, limit 2 s)  runbooks/AnAlert.md#a-cause",
        "           cause    a-cause: worker-1 is gone",
        f"           since    {stamp(NOON)}, respond by 2026-03-04T12:05:00Z, escalate at 2026-03-04T12:15:00Z",
        "mine FIRING: 1 of 1 alert in 0.5 s",
    ]


def test_a_cause_with_the_alerts_own_message_is_named_only_by_its_section() -> None:
    written = lines(of(alert("firing", causes=[Cause("a-cause", "a-cause", "why", {})])))
    assert written[1].endswith("  runbooks/AnAlert.md#a-cause")
    assert not [line for line in written if line.strip().startswith("cause")]


def test_the_measurement_is_not_repeated_after_a_message_that_contains_it() -> None:
    written = lines(of(alert("firing", message="it took 3 s, limit 2 s")))
    assert written[1] == "FIRING   sev1 AnAlert  it took 3 s, limit 2 s  runbooks/AnAlert.md"
    measured = Measured("3 s, pid 42", 3.0)
    written = lines(of(alert("firing", measured=measured, message="pid 42 at work for 3 s, limit 2 s")))
    assert written[1].endswith("for 3 s, limit 2 s  runbooks/AnAlert.md")


def test_an_unknown_alert_has_a_runbook_too() -> None:
    written = lines(of(alert("unknown", measured=None, limit=None, checks=[check("noted")])))
    assert written[1] == "UNKNOWN  sev1 AnAlert  why  runbooks/AnAlert.md#a-cause"


def test_an_alert_that_depends_on_an_unavailable_resource() -> None:
    written = lines(of(alert("unknown", measured=None, limit=None, message="refused", caused_by="postgres")))
    reason = "not evaluated: depends on postgres, which is unavailable"
    assert written[1] == f"UNKNOWN  sev1 AnAlert  refused ({reason})  runbooks/AnAlert.md"


def test_changes_since_the_last_ok_run() -> None:
    changes = Changes("2026-03-04T11:00:00Z", ["api was restarted", "worker is gone"])
    assert lines(replace(of(alert("firing")), changes=changes))[3:6] == [
        "           changed  since the last ok run at 2026-03-04T11:00:00Z:",
        "                    api was restarted",
        "                    worker is gone",
    ]
    assert lines(run_of(NOON, {"A": "ok"}, changes=changes)) == ["mine OK: 1 alert in 0.5 s"]


def test_findings_of_an_alert_that_is_ok() -> None:
    written = lines(of(alert("ok", message="", checks=[check("noted"), check("noted", "there, too")])))
    assert written[1:3] == [
        "NOTED    sev1 AnAlert  OK, but a-cause: look here  runbooks/AnAlert.md#a-cause",
        "           noted    a-cause: there, too",
    ]


def test_consequences_stand_below_their_root_and_nowhere_else() -> None:
    root = alert("firing", "Root")
    written = lines(
        of(
            root,
            alert("firing", "Also", caused_by="Root", message="it\nsays so"),
            alert("unknown", "Blind", caused_by="Root"),
            alert("ok", "Sign", caused_by="Root", message="", checks=[check("noted")]),
            alert("ok", "Half", caused_by="Root", message="", checks=[check("unknown")]),
        )
    )
    place = next(number for number, line in enumerate(written) if line.startswith("           since"))
    assert written[place + 1 : place + 5] == [
        "           └ firing sev1 Also: follows from it: it says so",
        "           └ unknown sev1 Blind: not evaluated: depends on the alert above",
        "           └ noted sev1 Sign: follows from it: a-cause: look here",
        "           └ unknown sev1 Half: OK, but some diagnostics could not run: they depend on the alert above",
    ]
    assert sum("Also" in line for line in written) == 1


def test_an_alert_that_is_ok_with_an_unknown_diagnostic() -> None:
    written = lines(of(alert("ok", message="", checks=[check("unknown", "no permission")])))
    line = "UNKNOWN  sev1 AnAlert  OK, but some diagnostics could not run"
    assert written[1] == f"{line}  runbooks/AnAlert.md#a-cause"
    assert written[2] == "           unknown  a-cause: no permission"


def test_a_suppressed_alert_has_who_why_and_until_when() -> None:
    why = Suppression("silence", "ann", "a new disk", "2026-03-04T13:00:00Z")
    later = Point("2026-03-04T12:05:00Z", "silenced", None, None)
    written = lines(of(alert("silenced", suppressed=why, recent=[later])))
    assert written[1:4] == [
        "SILENCED sev1 AnAlert  why (measured 3 s, limit 2 s)  runbooks/AnAlert.md",
        "           reason   silenced by ann until 2026-03-04T13:00:00Z: a new disk",
        f"           since    {stamp(NOON)}",
    ]


def test_flapping_and_recovered_alerts() -> None:
    points = [Point(stamp(NOON), "ok", None, None)] * 30
    written = lines(
        of(
            alert("firing", recent=points, changes_of_state=7),
            alert("ok", "Better", recovered=Recovered(stamp(NOON), 60.0)),
            alert("ok", "BetterLongAgo", recovered=Recovered("2026-03-04T11:00:00Z", 60.0)),
        )
    )
    assert "           flapping 7 changes of state in the last 30 runs" in written
    assert written[-1] == "mine FIRING: 1 of 3 alerts in 0.5 s, recovered: Better"


@pytest.mark.parametrize("verbose", [0, 1])
def test_evidence_is_shown_with_v(verbose: int) -> None:
    page = Evidence("log", "docker logs  api", 3.0, "first\n\tsecond")
    written = lines(of(alert("firing", checks=[check("firing", "bad", page), check("ok", "", page)])), verbose=verbose)
    evidence = [
        "           evidence $ docker logs  api  (3 ms)",
        "                    first",
        "                            second",
    ]
    assert [line for line in written if line in evidence] == (evidence if verbose else [])


def test_control_characters_are_not_written() -> None:
    page = Evidence("log", f"a {ESCAPE}", 3.0, f"b {ESCAPE}\r")
    fires = alert("firing", message=f"c {ESCAPE}\rd", checks=[check("firing", "bad", page)])
    written = "\n".join(lines(of(fires), verbose=1))
    assert "a window's name" in written
    assert not {letter for letter in written if not letter.isprintable()} - {"\n"}


def test_complaints_come_before_the_last_line() -> None:
    results = replace(run_of(NOON, {"A": "ok"}), complete=False)
    written = lines(results, complaints=["the history could not be written: disk full"])
    assert written == [
        "the run was stopped before it was complete",
        "the history could not be written: disk full",
        "mine OK: 1 alert in 0.5 s",
    ]


# -- whole runs


def test_the_terminal_shows_since_when_why_and_what_to_do(sample: Project, judge: Judge, tmp_path: Path) -> None:
    seen = judge(target=nowhere(tmp_path), cwd=sample.folder)
    alert = seen.alert("ItFires")
    lines = [line.strip() for line in seen.output.splitlines()]
    place = lines.index("FIRING   sev0 ItFires  it is bad  runbooks/ItFires.md#why")
    assert lines[place + 1].startswith("cause    why: ")
    times = f"{alert['since']}, respond by {alert['respond_by']}, escalate at {alert['escalate_at']}"
    assert lines[place + 2] == f"since    {times}"
    assert "Traceback" not in seen.output


def test_a_quiet_run_prints_one_line(sample: Project, judge: Judge, tmp_path: Path) -> None:
    seen = judge("-q", "-k", "it_is_ok", target=nowhere(tmp_path), cwd=sample.folder)
    found = [line for line in seen.output.splitlines() if "nowhere" in line]
    assert len(found) == 1
    assert found[0].startswith("nowhere OK: 1 alert in ")


def test_a_recovery_is_shown(sample: Project, judge: Judge, tmp_path: Path) -> None:
    judge(target=nowhere(tmp_path), cwd=sample.folder)
    sample.add_alert("it_fires", "@trigger()\ndef test_it():\n    pass\n")
    assert ", recovered: ItFires;" in judge(target=nowhere(tmp_path), cwd=sample.folder).output
