from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest

from playbook.outcome import CheckOutcome, Suppression
from reports.pages import report
from reports.past import Past
from reports.results import Changes, Point, Recovered, alerts_of, stamp
from tests.reports.samples import NOON, alert, description, run_of

if TYPE_CHECKING:
    from playbook.outcome import State
    from reports.results import AlertResult

UNTIL, UNTIL_SHOWN = "2026-03-04T13:00:00Z", "2026-03-04 13:00:00 UTC"
POINTS = [Point(stamp(NOON), "ok", None, None)] * 30


def text_of(page: str) -> str:
    """Return the text of a page, without its markup and its style."""
    shown = re.sub(r"<(style|script).*?</\1>", "", page, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", shown)).split())


def shown(*alerts: AlertResult, **more: Any) -> str:
    return text_of(report.render(run_of(NOON, {}, alerts=list(alerts), **more)))


@pytest.mark.parametrize(
    ("why", "sentence"),
    [
        (Suppression("silence", "ann", "a new disk", UNTIL), f"Silenced by ann until {UNTIL_SHOWN}: a new disk"),
        (Suppression("exemption", "ops", "known", UNTIL), f"Exempted by ops until {UNTIL_SHOWN}: known"),
        (Suppression("for", "Prometheus", "new", UNTIL), f"Pending according to Prometheus until {UNTIL_SHOWN}: new"),
        (Suppression("silence", "", "", UNTIL), f"Silenced by an unnamed person until {UNTIL_SHOWN}: no reason given"),
    ],
)
def test_a_suppressed_alert_has_who_until_when_and_why(why: Suppression, sentence: str) -> None:
    assert sentence in shown(alert(why.state, suppressed=why))


def test_a_flapping_alert() -> None:
    assert "Flapping: 7 changes of state in the last 30 runs." in shown(
        alert("firing", recent=POINTS, changes_of_state=7)
    )
    assert "Flapping" not in shown(alert("firing", recent=POINTS, changes_of_state=4))


def test_a_recovered_alert_has_when_and_after_how_long() -> None:
    better = alert("ok", recovered=Recovered(stamp(NOON), 90.0))
    assert "Recovered at 2026-03-04 12:00:00 UTC, after 1 min 30 s." in shown(better)


def test_changes_since_the_last_ok_run_stand_on_top() -> None:
    changes = Changes("2026-03-04T11:00:00Z", ["api was restarted", "worker is gone"])
    page = shown(alert("firing"), verdict="firing", exit_status=1, changes=changes)
    section = "Changed since the last ok run 2026-03-04 11:00:00 UTC api was restarted worker is gone"
    assert 0 < page.index(section) < page.index("AnAlert")
    assert "Changed since" not in shown(alert("ok"), changes=changes)


@pytest.mark.parametrize(
    ("states", "sentence"),
    [
        ({"A": "firing", "B": "unknown", "C": "ok"}, "1 of 3 alerts fires, the most severe of severity 1."),
        (
            {"A": "ok", "B": "unknown", "C": "ok"},
            "Nothing fires, but 1 of 3 alerts could not be judged, the most",
        ),
        ({"A": "ok", "B": "ok", "C": "skipped"}, "2 alerts judged, none fires; 1 skipped."),
    ],
)
def test_the_header_counts_alerts_and_names_the_highest_severity(states: dict[str, str], sentence: str) -> None:
    alerts = [alert(state, name) for name, state in states.items()]  # type: ignore[arg-type]
    verdict = next((state for state in ("firing", "unknown") if state in states.values()), "ok")
    assert sentence in shown(*alerts, verdict=verdict)


def test_groups_come_in_the_order_to_act_in() -> None:
    states: list[State] = ["firing", "unknown", "silenced", "pending", "ok"]
    alerts = alerts_of(
        [CheckOutcome(f"{state}::it", description(state), "trigger", [], state, "") for state in states]
        + [CheckOutcome("ok::why", description("ok"), "diagnostic", [], "noted", "", cause="why")],
        NOON,
        Past(),
    )
    page = report.render(run_of(NOON, {}, alerts=alerts))
    titles = re.findall(r'<h2 id="group-(\w+)">', page)
    assert titles == ["firing", "unknown", "silenced", "pending", "noted"]


def test_the_page_of_all_checks_is_linked_where_it_was_written() -> None:
    results = run_of(NOON, {"A": "ok"})
    assert 'href="checks.html"' in report.render(results, has_checks_page=True)
    assert 'href="checks.html"' not in report.render(results)


def test_times_are_in_utc_and_in_the_zone_of_the_target() -> None:
    assert "since 2026-03-04 12:00:00 UTC (13:00 Europe/Berlin)" in shown(alert("firing"), timezone="Europe/Berlin")


def test_the_measurements_of_the_last_runs_are_a_picture_with_a_text() -> None:
    found: list[tuple[State, float | None]] = [("ok", 1.0), ("unknown", None), ("firing", 3.0)]
    points = [Point(stamp(NOON), state, value, 2.0) for state, value in found]
    drawn = report.picture(points)
    assert drawn is not None
    assert drawn.text == "the last 3 runs: between 1 and 3, limit 2"
    assert (len(drawn.line.split()), len(drawn.failing)) == (2, 1)
    assert report.picture(points[:2]) is None
