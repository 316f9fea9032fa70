from __future__ import annotations

import random
import re
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from playbook.evidence import Unknown
from playbook.outcome import CheckOutcome, judge
from reports import summary
from reports.pages import report
from reports.past import Past
from reports.results import AlertResult, alerts_of, exit_status, stamp, states_that_count, verdict
from tests.reports.samples import NOON, description, run_of
from tests.reports.test_terminal import lines

if TYPE_CHECKING:
    from playbook.alert import Description, Role
    from playbook.outcome import State

DATABASE_DOWN = description("DatabaseDown", explains=("postgres",))
API_DOWN = description("APIDown", explains=("api",))
NO_WORKERS = description("NoWorkers", explains=("worker",))
SLOW = description("Slow", severity=1)


def trigger(alert: Description, state: State, resource: str | None = None) -> CheckOutcome:
    return CheckOutcome(f"{alert.name}::trigger", alert, "trigger", [1], state, "", "why", resource=resource)


def diagnostic(
    alert: Description, state: State, cause: str, explained_by: str | None = None, message: str = ""
) -> CheckOutcome:
    return CheckOutcome(
        f"{alert.name}::{cause}", alert, "diagnostic", [1], state, "", message or cause, cause=cause,
        explained_by=explained_by,
    )  # fmt: skip


def results(*outcomes: CheckOutcome) -> dict[str, AlertResult]:
    return {alert.name: alert for alert in alerts_of(list(outcomes), NOON, Past())}


# -- a check's state


@pytest.mark.parametrize(
    ("role", "raised", "trigger_state", "state"),
    [
        ("trigger", None, "unknown", "ok"),
        ("trigger", AssertionError(), "unknown", "firing"),
        ("trigger", Unknown("who knows"), "unknown", "unknown"),
        ("trigger", ZeroDivisionError(), "unknown", "unknown"),
        ("trigger", pytest.skip.Exception("absent"), "unknown", "skipped"),
        ("diagnostic", None, "firing", "ok"),
        ("diagnostic", AssertionError(), "firing", "firing"),
        ("diagnostic", AssertionError(), "pending", "pending"),
        ("diagnostic", AssertionError(), "silenced", "silenced"),
        ("diagnostic", AssertionError(), "ok", "noted"),
        ("diagnostic", AssertionError(), "unknown", "noted"),
        ("diagnostic", AssertionError(), "skipped", "noted"),
        ("diagnostic", OSError(), "ok", "unknown"),
        ("diagnostic", TimeoutError(), "firing", "unknown"),
        ("diagnostic", pytest.skip.Exception("absent"), "firing", "skipped"),
    ],
)
def test_the_state_of_a_check_follows_from_what_it_raised(
    role: Role, raised: BaseException | None, trigger_state: State, state: State
) -> None:
    assert judge(role, raised, trigger_state) == state


# -- an alert's state


@pytest.mark.parametrize("state", ["ok", "firing", "unknown", "pending", "silenced", "skipped"])
def test_an_alert_has_the_state_of_its_trigger(state: State) -> None:
    alerts = results(diagnostic(SLOW, "noted", "a"), trigger(SLOW, state), diagnostic(SLOW, "unknown", "b"))
    assert alerts["Slow"].state == state


def test_an_alert_without_its_trigger_is_unknown() -> None:
    assert results(diagnostic(SLOW, "ok", "a"))["Slow"].state == "unknown"


def test_an_ok_alert_is_shown_as_its_diagnostics_are() -> None:
    assert results(trigger(SLOW, "ok"), diagnostic(SLOW, "noted", "a"))["Slow"].shown_state == "noted"
    assert results(trigger(SLOW, "ok"), diagnostic(SLOW, "unknown", "a"))["Slow"].shown_state == "unknown"
    assert results(trigger(SLOW, "ok"), diagnostic(SLOW, "skipped", "a"))["Slow"].shown_state == "ok"


def test_a_skipped_alert_is_shown_as_its_diagnostics_are() -> None:
    assert results(trigger(SLOW, "skipped"), diagnostic(SLOW, "noted", "a"))["Slow"].shown_state == "noted"
    assert results(trigger(SLOW, "skipped"), diagnostic(SLOW, "unknown", "a"))["Slow"].shown_state == "unknown"
    assert results(trigger(SLOW, "skipped"), diagnostic(SLOW, "ok", "a"))["Slow"].shown_state == "skipped"


def test_a_firing_alert_has_times_to_respond_and_escalate() -> None:
    alert = results(trigger(SLOW, "firing"))["Slow"]
    assert (alert.since, alert.respond_by, alert.escalate_at) == (
        "2026-03-04T12:00:00Z", "2026-03-04T12:05:00Z", "2026-03-04T12:15:00Z",
    )  # fmt: skip


@pytest.mark.parametrize("state", ["ok", "skipped"])
def test_an_alert_that_does_not_hold_has_no_times(state: State) -> None:
    alert = results(trigger(SLOW, state))["Slow"]
    assert (alert.since, alert.respond_by, alert.escalate_at) == (None, None, None)


# -- causes


def test_causes_come_in_the_modules_order_and_once() -> None:
    alert = results(
        trigger(SLOW, "firing"),
        diagnostic(SLOW, "firing", "first"),
        diagnostic(SLOW, "ok", "not-this"),
        diagnostic(SLOW, "firing", "second"),
        diagnostic(SLOW, "firing", "first"),
    )["Slow"]
    assert [cause.name for cause in alert.causes] == ["first", "second"]
    assert [cause.runbook_anchor for cause in alert.causes] == ["first", "second"]


def test_a_noted_diagnostic_is_a_finding_and_no_cause() -> None:
    alert = results(trigger(SLOW, "ok"), diagnostic(SLOW, "noted", "a"))["Slow"]
    assert alert.causes == []
    assert [finding.causes for finding in alert.findings] == [["a"]]


def test_findings_with_the_same_message_are_one() -> None:
    alert = results(
        trigger(SLOW, "unknown"),
        diagnostic(SLOW, "unknown", "a", message="no engine"),
        diagnostic(SLOW, "unknown", "b", message="why"),
        diagnostic(SLOW, "unknown", "c", message="no engine"),
        diagnostic(SLOW, "noted", "d", message="no engine"),
    )["Slow"]
    assert [str(finding) for finding in alert.findings] == ["a, c: no engine", "d: no engine"]


# -- what explains what


def test_a_noted_alert_follows_from_the_alert_that_explains_its_finding() -> None:
    alerts = results(
        trigger(NO_WORKERS, "firing"), trigger(SLOW, "ok"), diagnostic(SLOW, "noted", "a", explained_by="NoWorkers")
    )
    assert (alerts["Slow"].caused_by, alerts["Slow"].follows) == ("NoWorkers", True)
    quiet = results(
        trigger(NO_WORKERS, "ok"), trigger(SLOW, "ok"), diagnostic(SLOW, "noted", "a", explained_by="NoWorkers")
    )
    assert quiet["Slow"].caused_by is None


def test_an_unavailable_resource_is_explained_by_the_alert_about_it() -> None:
    alerts = results(trigger(DATABASE_DOWN, "firing"), trigger(NO_WORKERS, "unknown", "postgres"))
    assert alerts["NoWorkers"].caused_by == "DatabaseDown"
    assert alerts["DatabaseDown"].caused_by is None


def test_the_explaining_alert_may_be_unknown_itself() -> None:
    alerts = results(trigger(DATABASE_DOWN, "unknown", "postgres"), trigger(NO_WORKERS, "unknown", "postgres"))
    assert alerts["NoWorkers"].caused_by == "DatabaseDown"
    assert alerts["DatabaseDown"].caused_by is None


@pytest.mark.parametrize("state", ["ok", "skipped"])
def test_an_alert_that_does_not_hold_explains_nothing(state: State) -> None:
    alerts = results(trigger(DATABASE_DOWN, state), trigger(NO_WORKERS, "unknown", "postgres"))
    assert alerts["NoWorkers"].caused_by == "postgres"


def test_without_the_alert_about_it_the_resource_itself_is_the_cause() -> None:
    assert results(trigger(NO_WORKERS, "unknown", "postgres"))["NoWorkers"].caused_by == "postgres"


def test_an_alert_that_is_unknown_by_itself_follows_from_nothing() -> None:
    alerts = results(trigger(DATABASE_DOWN, "firing"), trigger(SLOW, "unknown"))
    assert alerts["Slow"].caused_by is None


def test_an_alert_follows_from_the_alert_that_explains_its_first_cause() -> None:
    alerts = results(
        trigger(DATABASE_DOWN, "firing"),
        trigger(API_DOWN, "firing"),
        diagnostic(API_DOWN, "firing", "database-lost", "DatabaseDown"),
        diagnostic(API_DOWN, "firing", "hung"),
    )
    assert alerts["APIDown"].caused_by == "DatabaseDown"


def test_an_alert_with_a_nearer_cause_stands_by_itself() -> None:
    alerts = results(
        trigger(DATABASE_DOWN, "firing"),
        trigger(API_DOWN, "firing"),
        diagnostic(API_DOWN, "firing", "not-listening"),
        diagnostic(API_DOWN, "firing", "database-lost", "DatabaseDown"),
    )
    assert alerts["APIDown"].caused_by is None


def test_an_unknown_alert_explains_no_firing_one() -> None:
    alerts = results(
        trigger(DATABASE_DOWN, "unknown"),
        trigger(API_DOWN, "firing"),
        diagnostic(API_DOWN, "firing", "database-lost", "DatabaseDown"),
    )
    assert alerts["APIDown"].caused_by is None


def test_consequences_of_a_consequence_stand_below_the_root() -> None:
    alerts = results(
        trigger(DATABASE_DOWN, "firing"),
        trigger(API_DOWN, "firing"),
        diagnostic(API_DOWN, "firing", "database-lost", "DatabaseDown"),
        trigger(SLOW, "unknown", "api"),
    )
    assert families(list(alerts.values())) == {"DatabaseDown": ["APIDown", "Slow"]}


def families(alerts: list[AlertResult]) -> dict[str, list[str]]:
    run = run_of(NOON, {}, alerts=alerts)
    return {root.name: [follower.name for follower in followers] for root, followers in run.by_root()}


@pytest.mark.parametrize("seed", range(40))
def test_every_alert_is_shown_once_whatever_explains_what(seed: int) -> None:
    chance = random.Random(seed)
    names = [f"Alert{letter}" for letter in "ABCDEFGH"]
    states: list[State] = ["firing", "firing", "unknown", "unknown", "pending", "silenced", "ok", "skipped"]
    alerts = [
        replace(
            alert, caused_by=chance.choice([*names, None, "postgres"]), respond_by=stamp(NOON), escalate_at=stamp(NOON)
        )
        for alert in run_of(NOON, {name: chance.choice(states) for name in names}).alerts
    ]
    run = run_of(NOON, {}, verdict="firing", exit_status=1, alerts=alerts)
    assert Counter(re.findall(r'<article [^>]*id="(\w+)"', report.render(run))) == Counter(names)
    speak = Counter(alert.name for alert in alerts if alert.shown_state not in ("ok", "skipped"))
    line = re.compile(r"^(?:\* |  - |[A-Z]+ +| +└ )(?:\w+ )?sev1 (\w+)", re.MULTILINE)
    assert Counter(line.findall(summary.of(run))) == speak
    assert Counter(line.findall("\n".join(lines(run)))) == speak


# -- order


def test_the_alert_to_act_on_comes_first() -> None:
    follower, noted, sev1, sev0 = (
        description("Follower"),
        description("Noted"),
        description("B", severity=1),
        description("Z", explains=("postgres",)),
    )
    suppressed = [trigger(description("Waits"), "pending"), trigger(description("Quiet"), "silenced")]
    alerts = results(
        trigger(description("Well"), "ok"),
        trigger(description("Absent"), "skipped"),
        trigger(noted, "ok"),
        diagnostic(noted, "noted", "a"),
        trigger(description("Unclear"), "unknown"),
        trigger(sev1, "firing"),
        trigger(follower, "firing"),
        diagnostic(follower, "firing", "a", "Z"),
        trigger(sev0, "firing"),
        *suppressed,
    )
    assert list(alerts) == ["Z", "B", "Follower", "Unclear", "Quiet", "Waits", "Noted", "Well", "Absent"]


# -- the run as a whole


@pytest.mark.parametrize(
    ("states", "status", "expected"),
    [
        (["ok"], 0, "ok"),
        (["ok", "skipped", "noted"], 0, "ok"),
        (["ok", "silenced"], 0, "ok"),
        (["ok", "pending"], 0, "ok"),
        (["ok", "firing"], 1, "firing"),
        (["unknown", "firing", "ok"], 1, "firing"),
        (["ok", "unknown"], 6, "unknown"),
        (["skipped", "unknown"], 6, "unknown"),
        (["skipped", "skipped"], 5, "unknown"),
        ([], 5, "unknown"),
    ],
)
def test_the_exit_status_and_the_verdict_follow_from_states(states: list[State], status: int, expected: str) -> None:
    assert exit_status(states) == status
    assert verdict(status) == expected


@pytest.mark.parametrize("status", [2, 3, 4, 5, 6])
def test_a_run_that_ended_otherwise_is_never_ok(status: int) -> None:
    assert verdict(status) == "unknown"


def test_times_are_written_in_utc() -> None:
    assert stamp(NOON.astimezone(tz=None) + timedelta(seconds=0.7)) == "2026-03-04T12:00:00Z"


@pytest.mark.parametrize(
    ("state", "status"), [("firing", 1), ("unknown", 6), ("pending", 0), ("silenced", 0), ("ok", 6)]
)
def test_consequences_of_a_suppressed_alert_do_not_count(state: State, status: int) -> None:
    outcomes = [
        trigger(DATABASE_DOWN, state),
        trigger(SLOW, "unknown", resource="postgres"),
        replace(diagnostic(API_DOWN, "unknown", "its-database"), resource="postgres"),
        trigger(API_DOWN, "ok"),
    ]
    assert exit_status(states_that_count(outcomes)) == status


def test_what_is_unknown_for_another_reason_counts() -> None:
    outcomes = [trigger(DATABASE_DOWN, "pending"), trigger(SLOW, "unknown", resource="redis"), trigger(API_DOWN, "ok")]
    assert exit_status(states_that_count(outcomes)) == 6
    outcomes = [trigger(DATABASE_DOWN, "pending"), trigger(SLOW, "unknown")]
    assert exit_status(states_that_count(outcomes)) == 6


@pytest.mark.parametrize("state", ["pending", "silenced"])
def test_consequences_of_a_suppressed_alert_stand_below_it(state: State) -> None:
    seen = results(trigger(DATABASE_DOWN, state), trigger(SLOW, "unknown", resource="postgres"))
    assert seen["Slow"].caused_by == "DatabaseDown"
    assert seen["Slow"].follows
