"""The block after the dots, as a person reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from playbook.evidence import Evidence
from playbook.outcome import Measured, Muted
from reports import terminal
from reports.results import Cause, CheckResult, Point, Recovered, stamp
from reports.runbooks import HERE, first_step, of_alert
from tests.reports.test_history import NOON, run_of

if TYPE_CHECKING:
    from pathlib import Path

    from playbook.outcome import State
    from reports.results import AlertResult, Results

OF_EVERY_RUNBOOK = ("meaning", "impact", "diagnosis", "verify", "escalation")
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


def lines(results: Results, folder: Path | None = None, complaints: list[str] | None = None, verbose: int = 0) -> Any:
    written = Terminal(verbose)
    terminal.write(written, results, folder, complaints or [])
    return written.text.splitlines()


def of(alert: AlertResult, *others: AlertResult) -> Results:
    return run_of(NOON, {}, verdict="firing", exit_status=1, alerts=[alert, *others])


def alert(state: State, name: str = "AnAlert", **more: Any) -> AlertResult:
    return replace(run_of(NOON, {name: state}).alerts[0], **more)


def check(outcome: State, message: str = "look here", *evidence: Evidence) -> CheckResult:
    return CheckResult("a::b", "diagnostic", [1], outcome, "a-cause", "It is so.", message, 1.0, list(evidence))


def test_all_well_is_one_line(tmp_path: Path) -> None:
    told = lines(run_of(NOON, {"A": "ok", "B": "ok", "C": "skipped"}), tmp_path)
    assert told == [f"mine: ok, 2 alerts in 0.5 s; report: {tmp_path}/report.html"]


def test_an_alert_says_what_why_since_when_and_where_to_read_on() -> None:
    fires = alert(
        "firing", causes=[Cause("a-cause", "a-cause", "worker-1 is gone", {})],
        respond_by="2026-03-04T12:05:00Z", escalate_at="2026-03-04T12:15:00Z",
    )  # fmt: skip
    assert lines(of(fires)) == [
        "== mine: firing",
        "FIRING   sev1 AnAlert  why (measured 3 s, limit 2 s)  runbooks/AnAlert.md#a-cause",
        "           cause    a-cause: worker-1 is gone",
        f"           since    {stamp(NOON)}, respond by 2026-03-04T12:05:00Z, escalate at 2026-03-04T12:15:00Z",
        "mine: firing, 1 alert in 0.5 s",
    ]


def test_a_cause_that_says_what_the_alert_says_is_named_by_its_section_alone() -> None:
    told = lines(of(alert("firing", causes=[Cause("a-cause", "a-cause", "why", {})])))
    assert told[1].endswith("  runbooks/AnAlert.md#a-cause")
    assert not [line for line in told if line.strip().startswith("cause")]


def test_what_the_message_says_is_not_said_again() -> None:
    told = lines(of(alert("firing", message="it took 3 s, limit 2 s")))
    assert told[1] == "FIRING   sev1 AnAlert  it took 3 s, limit 2 s  runbooks/AnAlert.md"
    reading = Measured("3 s, pid 42", 3.0)
    told = lines(of(alert("firing", measured=reading, message="pid 42 at work for 3 s, limit 2 s")))
    assert told[1].endswith("for 3 s, limit 2 s  runbooks/AnAlert.md")


def test_what_could_not_be_judged_has_a_runbook_too() -> None:
    told = lines(of(alert("unknown", measured=None, limit=None, checks=[check("noted")])))
    assert told[1] == "UNKNOWN  sev1 AnAlert  why  runbooks/AnAlert.md#a-cause"


def test_what_is_noted_is_one_line() -> None:
    told = lines(of(alert("ok", message="", checks=[check("noted"), check("noted", "there, too")])))
    assert told[1:3] == [
        "NOTED    sev1 AnAlert  does not fire, but a-cause: look here  runbooks/AnAlert.md#a-cause",
        "           noted    a-cause: there, too",
    ]


def test_what_follows_stands_beneath_and_nowhere_else() -> None:
    root = alert("firing", "Root")
    told = lines(
        of(
            root,
            alert("firing", "Also", caused_by="Root", message="it\nsays so"),
            alert("unknown", "Blind", caused_by="Root"),
            alert("ok", "Sign", caused_by="Root", message="", checks=[check("noted")]),
            alert("ok", "Half", caused_by="Root", message="", checks=[check("unknown")]),
        )
    )
    place = next(number for number, line in enumerate(told) if line.startswith("           since"))
    assert told[place + 1 : place + 5] == [
        "           └ firing sev1 Also: follows from it: it says so",
        "           └ unknown sev1 Blind: cannot be judged while that is so",
        "           └ noted sev1 Sign: follows from it: a-cause: look here",
        "           └ unknown sev1 Half: does not fire; not every cause can be looked for while that is so",
    ]
    assert sum("Also" in line for line in told) == 1


def test_an_alert_that_is_ok_but_half_told_reads_well() -> None:
    told = lines(of(alert("ok", message="", checks=[check("unknown", "no permission")])))
    said = "UNKNOWN  sev1 AnAlert  does not fire, but not every cause could be looked for"
    assert told[1] == f"{said}  runbooks/AnAlert.md#a-cause"
    assert told[2] == "           unknown  a-cause: no permission"


def test_a_muted_one_says_by_whom_why_and_until_when() -> None:
    why = Muted("silence", "ann", "a new disk", "2026-03-04T13:00:00Z")
    later = Point("2026-03-04T12:05:00Z", "silenced", None, None)
    told = lines(of(alert("silenced", muted=why, recent=[later])))
    assert told[1:4] == [
        "SILENCED sev1 AnAlert  why (measured 3 s, limit 2 s)  runbooks/AnAlert.md",
        "           muted    silenced by ann, until 2026-03-04T13:00:00Z: a new disk",
        f"           since    {stamp(NOON)}",
    ]


def test_flapping_and_recovered_are_said() -> None:
    points = [Point(stamp(NOON), "ok", None, None)] * 30
    told = lines(
        of(
            alert("firing", recent=points, changes_of_state=7),
            alert("ok", "Better", recovered=Recovered(stamp(NOON), 60.0)),
            alert("ok", "BetterLongAgo", recovered=Recovered("2026-03-04T11:00:00Z", 60.0)),
        )
    )
    assert "           flaps    7 changes in the last 30 runs" in told
    assert told[-1] == "mine: firing, 3 alerts in 0.5 s, recovered: Better"


@pytest.mark.parametrize("verbose", [0, 1])
def test_evidence_is_shown_to_those_who_ask(verbose: int) -> None:
    page = Evidence("log", "docker logs  api", 3.0, "first\n\tsecond")
    told = lines(of(alert("firing", checks=[check("firing", "bad", page), check("ok", "", page)])), verbose=verbose)
    evidence = [
        "           evidence $ docker logs  api  (3 ms)",
        "                    first",
        "                            second",
    ]
    assert [line for line in told if line in evidence] == (evidence if verbose else [])


def test_what_a_terminal_would_act_on_is_not_written() -> None:
    page = Evidence("log", f"a {ESCAPE}", 3.0, f"b {ESCAPE}\r")
    fires = alert("firing", message=f"c {ESCAPE}\rd", checks=[check("firing", "bad", page)])
    told = "\n".join(lines(of(fires), verbose=1))
    assert "a window's name" in told
    assert not {letter for letter in told if not letter.isprintable()} - {"\n"}


def test_complaints_come_before_the_last_line() -> None:
    results = replace(run_of(NOON, {"A": "ok"}), complete=False)
    told = lines(results, complaints=["the history could not be written: disk full"])
    assert told == [
        "the run was stopped before it was complete",
        "the history could not be written: disk full",
        "mine: ok, 1 alert in 0.5 s",
    ]


# -- what to do


def test_the_first_step_of_the_runbook_is_told_with_the_names_that_are_known() -> None:
    cause = Cause("container-missing", "container-missing", "why", {})
    step = first_step("OrchestratorAPIDown", cause, "docker compose -p ops -f /srv/compose.yml")
    assert step == "(safe) See what there is: `docker compose -p ops -f /srv/compose.yml ps --all`"


def test_without_a_section_there_is_no_step() -> None:
    assert first_step("OrchestratorAPIDown", Cause("no-such", "no-such", "why", {}), "") == ""
    assert first_step("NoSuchAlert", Cause("no-such", "no-such", "why", {}), "") == ""


@pytest.mark.parametrize("page", sorted(HERE.glob("*.md")), ids=lambda page: page.stem)
def test_every_cause_has_a_first_step(page: Path) -> None:
    causes = [section.anchor for section in of_alert(page.stem) if section.anchor not in OF_EVERY_RUNBOOK]
    assert [anchor for anchor in causes if not first_step(page.stem, Cause(anchor, anchor, "", {}), "")] == []
