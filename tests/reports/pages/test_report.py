"""What the HTML report says of an alert, and pytest-html's table of each check."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from playbook.outcome import CheckOutcome, Muted
from reports.pages import report as html
from reports.past import Past
from reports.results import Changes, Point, Recovered, alerts_of, stamp
from tests.projects import Project, nowhere
from tests.reports.test_history import NOON, run_of
from tests.reports.test_results import row
from tests.reports.test_terminal import alert

if TYPE_CHECKING:
    from pathlib import Path

    from playbook.outcome import State
    from reports.results import AlertResult
    from tests.conftest import Judge

UNTIL = "2026-03-04T13:00:00Z"
POINTS = [Point(stamp(NOON), "ok", None, None)] * 30


def text_of(page: str) -> str:
    """Give what a page says, without its markup and its style."""
    shown = re.sub(r"<(style|script).*?</\1>", "", page, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", shown)).split())


def said(*alerts: AlertResult, **more: object) -> str:
    acted_on = [replace(each, respond_by=UNTIL, escalate_at=UNTIL) for each in alerts]
    return text_of(html.render(run_of(NOON, {}, alerts=acted_on, **more), None))


@pytest.mark.parametrize(
    ("muted", "words"),
    [
        (Muted("silence", "ann", "a new disk", UNTIL), "Silenced by ann until 2026-03-04 13:00:00 UTC: a new disk"),
        (Muted("exemption", "ops", "known", UNTIL), "Exempted by ops until 2026-03-04 13:00:00 UTC: known"),
        (Muted("for", "Prometheus", "it must last 5 min", UNTIL), "Pending by Prometheus until"),
        (Muted("silence", "", "", UNTIL), "Silenced by nobody named until 2026-03-04 13:00:00 UTC: no reason given"),
    ],
)
def test_a_muted_alert_says_by_whom_until_when_and_why(muted: Muted, words: str) -> None:
    assert words in said(alert(muted.state, muted=muted))


def test_what_flaps_says_so() -> None:
    assert "It flaps: it began or ceased to hold 7 times in the last 30 runs." in said(
        alert("firing", recent=POINTS, changes_of_state=7)
    )
    assert "It flaps" not in said(alert("firing", recent=POINTS, changes_of_state=4))


def test_what_recovered_says_when_and_after_how_long() -> None:
    better = alert("ok", recovered=Recovered(stamp(NOON), 90.0))
    assert "It recovered at 2026-03-04 12:00:00 UTC, after 1 min 30 s." in said(better)


def test_what_changed_since_all_was_well_stands_on_top() -> None:
    changes = Changes("2026-03-04T11:00:00Z", ["api was started again", "worker is gone"])
    told = said(alert("firing"), verdict="firing", exit_status=1, changes=changes)
    words = "Changed since all was well 2026-03-04 11:00:00 UTC api was started again worker is gone"
    assert 0 < told.index(words) < told.index("AnAlert")
    assert "Changed since" not in said(alert("ok"), changes=changes)


@pytest.mark.parametrize(
    ("states", "words"),
    [
        ({"A": "firing", "B": "unknown", "C": "ok"}, "1 of 3 alerts fires, the worst of severity 1."),
        ({"A": "ok", "B": "unknown", "C": "ok"}, "Nothing fires, but 1 of 3 alerts could not be judged, the worst of"),
        ({"A": "ok", "B": "ok", "C": "skipped"}, "2 alerts judged, none fires; 1 skipped."),
    ],
)
def test_the_top_says_how_much_and_how_grave(states: dict[str, str], words: str) -> None:
    alerts = [alert(state, name) for name, state in states.items()]  # type: ignore[arg-type]
    verdict = next((state for state in ("firing", "unknown") if state in states.values()), "ok")
    assert words in said(*alerts, verdict=verdict)


def test_groups_come_in_the_order_in_which_they_must_be_acted_on() -> None:
    states: list[State] = ["firing", "unknown", "silenced", "pending", "ok"]
    alerts = alerts_of(
        [CheckOutcome(f"{state}::it", row(state), "trigger", [], state, "") for state in states]
        + [CheckOutcome("ok::why", row("ok"), "diagnostic", [], "noted", "", cause="why")],
        NOON,
        Past(),
    )
    told = html.render(run_of(NOON, {}, alerts=alerts), None)
    titles = re.findall(r'<h2 id="group-(\w+)">', told)
    assert titles == ["firing", "unknown", "silenced", "pending", "noted"]


def test_pytests_own_table_says_what_each_check_is(judge: Judge, tmp_path: Path) -> None:
    project = Project(tmp_path / "project")
    project.add_alert(
        "it_fires",
        """
from playbook.quantities import Span
from msgspec import Struct

class Fact(Struct):
    age: Span

@pytest.fixture
def fact():
    return Fact(Span(90))

@trigger(measures="fact.age")
def test_it(fact):
    assert False, "it is bad"

@diagnostic(cause="why", step=1)
def test_why():
    pass
""",
        severity=1,
    )
    seen = judge(target=nowhere(tmp_path), cwd=project.folder)
    assert seen.folder is not None
    page = (seen.folder / "report.html").read_text()
    for column in ("Severity", "Alert", "Role", "Measured", "Runbook"):
        assert f'data-column-type=\\"{column.lower()}\\">{column}<' in page.replace('"', '\\"')
    cells = re.findall(r'<td class="col-(\w+)">(.*?)</td>', unescape(unescape(page)).replace('\\"', '"'))
    told = [text for name, text in cells if name in ("severity", "alert", "role", "measured", "runbook")]
    runbook = "runbooks/ItFires.md"
    assert [told[:5], told[5:]] == [
        ["sev1", "ItFires", "trigger", "1 min 30 s", runbook], ["sev1", "ItFires", "diagnostic", "", runbook],
    ]  # fmt: skip
